import { existsSync } from 'node:fs'
import { BuilderError, printable } from '../../errors.js'
import type { History } from '../../image/config.js'
import type { Digest } from '../../image/digest.js'
import { caller } from '../../namespace/caller.js'
import { explainMiss, explanationText } from '../../steps/explain.js'
import { stateDigest, stepKey } from '../../steps/key.js'
import { lookUpStep } from '../../steps/look-up.js'
import { recordStep } from '../../steps/record.js'
import type { Step, StepResult } from '../../steps/step.js'
import { type ContainerRecord, requireContainer } from '../../store/containers.js'
import { acquireLock, type HeldLock, tryLock, withLock } from '../../store/locks.js'
import { isMounted, usesOf } from '../../store/mounts.js'
import { advanceContainer, hasChanges } from '../../store/seal-step.js'
import type { Store } from '../../store/store.js'
import { epochOf } from '../epoch.js'
import { stepLock, taint, taintOf, untaint } from './lock.js'
import { sealContainer, tidyContainer } from './seal-container.js'

/** What a verb is about to do to a container made by `from --layers`. */
export interface StepWish {
  readonly verb: Step['verb']
  /** How the verb was called, for explanations; no secrets. */
  readonly said: string
  /** What decides the result, the form that is cheapest to find out first: a hit of any is a hit. Undefined: not known so. */
  readonly inputs: readonly (() => Promise<Step['inputs'] | undefined>)[]
  /** Why it is executed every time. */
  readonly unkept?: string | undefined
  /** What the history says of its layer; gets what the step printed. */
  readonly createdBy: (output: string) => string
  /** What it says where every verb is told. */
  readonly told: string
}

/** A step that was begun. */
export interface BegunStep {
  /** What it made before: there is nothing to execute, and the container has it already. */
  readonly hit?: StepResult
  /** Must be called when the verb is over; by a hit it may be. */
  end(done: StepDone): Promise<void>
}

/** How a verb ended. */
export type StepDone =
  | { readonly state: 'failed' }
  | {
      readonly state: 'done'
      /** Why its result is not to be kept: it could be another one next time. */
      readonly unkept?: string | undefined
      readonly output?: StepResult['output']
    }

/**
 * Looks up what a verb would do. On a hit the container has its layer already; else `end` makes a layer of what the verb
 * has done, and keeps it. Undefined for a container without steps. While its state is not known (somebody changed it by
 * other means since its last layer, or works in it now), a verb is executed and nothing is kept. Run it inside.
 */
export async function beginStep(
  store: Store,
  record: ContainerRecord,
  wish: StepWish,
  signal: AbortSignal | undefined,
): Promise<BegunStep | undefined> {
  if (!record.steps) return undefined
  const lock = await stepLock(store, record.id, wish.said)
  if (!lock) return besides(store, record, wish)
  const explain = explaining(record, wish)
  const epoch = epochOf({}, wish.verb)
  const begun: Begun = { store, record, wish, lock, signal, epoch, explain, started: performance.now() }
  try {
    return await lookUp(begun)
  } catch (error) {
    lock.release()
    throw error
  }
}

interface Begun {
  readonly store: Store
  readonly record: ContainerRecord
  readonly wish: StepWish
  readonly lock: HeldLock
  readonly signal: AbortSignal | undefined
  readonly epoch: number | undefined
  /** Absent when nobody wants to know. */
  readonly explain: ((text: string) => void) | undefined
  readonly started: number
}

interface Asked {
  readonly step: Step
  readonly key: Digest
}

async function lookUp(begun: Begun): Promise<BegunStep> {
  const { store, record, wish, lock, signal } = begun
  await tidyContainer(store, record.id, signal)
  const now = requireContainer(store, record.id)
  if (!(await isKnown(store, now))) {
    begun.explain?.('executed: its container was changed by other means than steps; a commit makes its state known')
    return { end: async () => lock.release() }
  }
  const asked: Asked[] = []
  for (const find of wish.unkept === undefined ? wish.inputs : []) {
    const inputs = await find()
    if (!inputs) continue
    asked.push(askedOf(begun, now, inputs))
    const hit = record.steps?.fresh ? undefined : await tryHit(begun, asked)
    if (!hit) continue
    lock.release()
    return { hit, end: async () => {} }
  }
  explainExecution(begun, asked)
  return { end: (done) => end(begun, asked, done).finally(() => lock.release()) }
}

/** Seconds since 1970 as RFC 3339 has them. */
function timeOf(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace('.000Z', 'Z')
}

function askedOf({ wish, epoch }: Begun, record: ContainerRecord, inputs: Step['inputs']): Asked {
  const parent = stateDigest({ layers: record.layers, config: record.config })
  const step: Step = { verb: wish.verb, parent, inputs: { ...inputs, ...(epoch === undefined ? {} : { epoch }) } }
  return { step, key: stepKey(step) }
}

/** The lock keeps a prune from taking the layer between its being found and its being the container's. */
async function tryHit(begun: Begun, asked: readonly Asked[]): Promise<StepResult | undefined> {
  const { store, record, wish, signal, epoch } = begun
  const { key } = asked.at(-1) as Asked
  const tellsAll = record.steps?.history ?? false
  const take = async () => {
    const result = await lookUpStep(store, key)
    if (!result) return undefined
    const createdBy = tellsAll ? wish.told : wish.createdBy(result.output?.stdout ?? '')
    // A build keeps when the layer was made; an epoch counts for all of the history.
    const created = epoch === undefined ? result.created : timeOf(epoch)
    const history = { created_by: createdBy, ...(created ? { created } : {}) }
    const layers = result.layer ? [result.layer] : []
    if (result.layer || tellsAll)
      await advanceContainer(store, record.id, layers, { history, ...(signal ? { signal } : {}) })
    for (const one of asked.slice(0, -1)) await recordStep(store, one.step, one.key, result)
    return result
  }
  const found = await withLock(store, 'store', take, { shared: true, purpose: wish.said })
  if (found) begun.explain?.(explanationText({ state: 'hit', key }))
  return found
}

async function end(begun: Begun, asked: readonly Asked[], done: StepDone): Promise<void> {
  const { store, record, wish, epoch, started, explain } = begun
  if (done.state === 'failed' || existsSync(taintOf(store, record.id))) return
  const milliseconds = Math.round(performance.now() - started)
  const created = epoch === undefined ? new Date().toISOString() : timeOf(epoch)
  const createdBy = record.steps?.history ? wish.told : wish.createdBy(done.output?.stdout ?? '')
  const sealed = await sealUnlessInUse(begun, { created_by: createdBy, created })
  if (!sealed || wish.unkept !== undefined) return
  if (done.unkept !== undefined) {
    explain?.(`not kept: ${done.unkept}`)
    return
  }
  const { output } = done
  const result: StepResult = { ...sealed, ...(output ? { output } : {}), milliseconds, created }
  for (const { step, key } of asked)
    if (!(await recordStep(store, step, key, result))) explain?.('not kept: it printed more than 1 MiB')
}

/** Somebody may have come to work in the container meanwhile: then it is as it would be without steps. */
async function sealUnlessInUse({ store, record, epoch }: Begun, history: History) {
  // What is to stop the verb also fires when its caller is gone, as a launcher is that has become the command.
  const sealing = epoch === undefined ? {} : { epoch }
  try {
    return await sealContainer(store, record.id, { ...sealing, history, omitEmpty: !record.steps?.history })
  } catch (error) {
    if (error instanceof BuilderError && error.code === 'IN_USE') return undefined
    throw error
  }
}

/** A verb beside a step: neither of them can be told from the other in what they leave. */
async function besides(store: Store, record: ContainerRecord, wish: StepWish): Promise<BegunStep> {
  const lock = await acquireLock(store, besideOf(record.id), { shared: true, purpose: wish.said })
  taint(store, record.id)
  explaining(record, wish)?.('executed: another verb works in its container')
  return { end: async () => lock.release() }
}

/** Its layers are all that it has, and nobody is about to change that. */
async function isKnown(store: Store, record: ContainerRecord): Promise<boolean> {
  if (isMounted(record) || usesOf(store, record.id) > 0 || (await hasChanges(store, record))) return false
  const alone = tryLock(store, besideOf(record.id), { purpose: 'see who works in a container' })
  if (!alone) return false
  untaint(store, record.id)
  alone.release()
  return true
}

function explainExecution({ store, wish, record, explain }: Begun, asked: readonly Asked[]): void {
  const last = asked.at(-1)
  if (wish.unkept !== undefined) explain?.(`executed: ${wish.unkept}`)
  else if (record.steps?.fresh) explain?.('executed: its container takes nothing from the cache')
  else if (last && explain) explain(explanationText(explainMiss(store, last.step, last.key)))
}

/** At the end of a run its caller's environment is another one, so it is asked at the beginning. */
function explaining({ steps }: ContainerRecord, { said }: StepWish): ((text: string) => void) | undefined {
  if (!steps?.explain && ['', '0', undefined].includes(process.env.BUILDER_EXPLAIN)) return undefined
  const one = caller()
  return (text) => one.say(`builder: ${printable(said)}: ${printable(text)}\n`)
}

function besideOf(id: string): string {
  return `beside-${id}`
}

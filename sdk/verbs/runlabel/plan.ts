import { resolve } from 'node:path'
import { BuilderError } from '../../errors.js'
import { caller } from '../../namespace/caller.js'
import { isRealRoot } from '../../namespace/inside.js'
import type { Ask } from '../../runlabel/ask.js'
import { type Engine, type LabelCommand, labelCommand } from '../../runlabel/command.js'
import { findLabel } from '../../runlabel/find-label.js'
import { judge } from '../../runlabel/judge.js'
import { decide, type Policy, type Verdict } from '../../runlabel/policy.js'
import { readPolicy } from '../../runlabel/policy-file.js'
import { visible } from '../../runlabel/show.js'
import { type LabelValues, substitute, variablesIn } from '../../runlabel/substitute.js'
import { labelValues } from '../../runlabel/values.js'
import { type LabelWord, splitLabel } from '../../runlabel/words.js'
import { findProgram } from '../../runtime/programs.js'
import type { Store } from '../../store/store.js'
import { home } from '../../transport/registry/configuration-places.js'
import { findLabelImage, type LabelImage } from './image.js'
import type { RunlabelOptions } from './options.js'
import { ownLauncher } from './own-launcher.js'

/** A label's command, judged. */
export interface RunlabelPlan {
  readonly image: LabelImage
  /** The label's name as the image spells it. */
  readonly label: string
  /** What it says, as it is written. */
  readonly text: string
  readonly engine: Engine | 'program'
  readonly argv: readonly string[]
  /** What the command finds in its environment beside the caller's own. */
  readonly environment: Readonly<Record<string, string>>
  readonly asks: readonly Ask[]
  readonly verdict: Verdict
  readonly reason: string
  readonly policy?: Policy
}

/** Finds out what a label would execute, and what that asks for. Executes nothing. */
export async function planRunlabel(
  store: Store,
  wanted: string,
  name: string,
  args: readonly string[],
  options: RunlabelOptions,
): Promise<RunlabelPlan> {
  const image = await findLabelImage(store, name, options)
  const { name: label, text } = findLabel(image.image.config.config?.Labels ?? {}, wanted, visible(name))
  const words = inLabel(label, () => splitLabel(text))
  const values = valuesFor(image, options)
  warnOfUnused(words, values, label, options)
  const engine = engineFor(words, options)
  const filled = inLabel(label, () => substitute(words, values))
  const replace = options.replace ?? false
  const command = await pinOther(
    store,
    inLabel(label, () => labelCommand({ words: filled, args, engine, image, replace })),
  )
  const found = executable(command, options)
  const asks = judge(found.judgeable, { isRoot: isRealRoot(), cwd: process.cwd() })
  const policy = readPolicy()
  const facts = { names: [image.name, ...image.image.names], digest: image.image.manifestDigest, label, asks }
  const { argv } = found
  const environment = environmentOf(values)
  return {
    image,
    label,
    text,
    engine: command.engine,
    argv,
    environment,
    asks,
    ...decide(policy, facts),
    ...(policy ? { policy } : {}),
  }
}

/** Says in which label it was. */
function inLabel<T>(label: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof BuilderError)) throw error
    const { code, object, reason, hint } = error
    const place = `label ${label}`
    const about = object === '' ? place : `${place}: ${object}`
    throw new BuilderError(code, {
      ...{ operation: 'runlabel', object: visible(about), reason: visible(reason), cause: error },
      ...(hint === undefined ? {} : { hint: visible(hint) }),
    })
  }
}

function valuesFor({ name }: LabelImage, options: RunlabelOptions): LabelValues {
  const { opt1, opt2, opt3, name: given } = options
  return labelValues({
    image: name,
    ...(given === undefined ? {} : { name: given }),
    options: [opt1, opt2, opt3],
    env: process.env,
    cwd: process.cwd(),
    home: home(),
    ...(caller().process ? { pid: caller().process?.pid as number } : {}),
  })
}

function warnOfUnused(words: readonly LabelWord[], values: LabelValues, label: string, options: RunlabelOptions): void {
  const used = inLabel(label, () => variablesIn(words, values))
  // A program of this machine finds the variables in its environment, as a shell does for '$OPT1'.
  const script = /(?:^|\/)(podman|docker|builder)$/.test(firstOf(words)) ? '' : words.flat().map(textOf).join('')
  for (const [flag, variable] of flags) {
    if (options[flag] === undefined || used.has(variable) || new RegExp(`\\$\\{?${variable}\\b`).test(script)) continue
    caller().say(`builder: warning: --${flag} changes no word: label ${visible(label)} does not use ${variable}\n`)
  }
}

const flags = [
  ['name', 'NAME'],
  ['opt1', 'OPT1'],
  ['opt2', 'OPT2'],
  ['opt3', 'OPT3'],
] as const

/** `auto`: who the label names, where that is installed. */
function engineFor(words: readonly LabelWord[], { engine = 'builder' }: RunlabelOptions): Engine {
  if (engine !== 'auto') return engine
  const named = /(?:^|\/)(podman|docker)$/.exec(firstOf(words))?.[1] as Engine | undefined
  return named !== undefined && findProgram(named) ? named : 'builder'
}

function firstOf([first = []]: readonly LabelWord[]): string {
  return first.map(textOf).join('')
}

function textOf({ text }: LabelWord[number]): string {
  return text
}

/** Another image than the label's own is executed by the digest that it has now. */
async function pinOther(store: Store, command: LabelCommand): Promise<LabelCommand> {
  const { otherImageAt: at, words, judgeable } = command
  if (at === undefined || judgeable.kind !== 'run') return command
  const { pinned } = await findLabelImage(store, words[at] as string, { pull: 'never' })
  return { ...command, words: words.with(at, pinned), judgeable: { ...judgeable, otherImage: pinned } }
}

/** The program as an absolute path: what was judged is what is executed. */
function executable(command: LabelCommand, options: RunlabelOptions) {
  const { engine, words, judgeable } = command
  if (engine === 'builder') return { argv: [...ownLauncher(options), ...words], judgeable }
  const name = engine === 'program' ? (words[0] as string) : engine
  const found = findProgram(name.includes('/') ? resolve(name) : name)
  if (!found) throw notThere(name, engine)
  if (judgeable.kind !== 'program') return { argv: [found, ...words], judgeable }
  return { argv: [found, ...words.slice(1)], judgeable: { ...judgeable, program: found } }
}

function notThere(name: string, engine: string): BuilderError {
  return new BuilderError('NOT_FOUND', {
    operation: 'runlabel',
    object: visible(name),
    reason: 'this program is not on this machine',
    hint:
      engine === 'program' ? 'install it, or have the label run a container' : 'leave --engine out: builder does it',
  })
}

/** For a script in the label, and for programs that ask for them as podman's and atomic's do. */
function environmentOf({ PWD: _, HOME: __, ...values }: LabelValues): Readonly<Record<string, string>> {
  const set = Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return Object.fromEntries(set)
}

import { readFileSync } from 'node:fs'
import type { DnfDone } from '../../distro/dnf.js'
import type { DnfWork } from '../../distro/dnf-work.js'
import { parsePackageLock } from '../../distro/package-lock.js'
import type { Step } from '../../steps/step.js'
import type { ContainerRecord } from '../../store/containers.js'
import type { Store } from '../../store/store.js'
import { beginStep } from '../step/step.js'

/** A request that is a step of a container made by `from --layers`. */
export interface DnfStep {
  /** It was carried out before, and the container has what came of it. */
  readonly done?: DnfDone
  /** When it is over; without what was done when it failed. */
  end(done: DnfDone | undefined): Promise<void>
}

/**
 * Looks up a request in a container with steps; undefined in one without, and for a request that changes nothing. Only a lock
 * says all that decides the result: without one the repositories may have something else next time.
 */
export async function beginDnfStep(store: Store, record: ContainerRecord, work: DnfWork): Promise<DnfStep | undefined> {
  if (!record.steps || work.request.does !== 'changes') return undefined
  const said = ['dnf', ...work.request.command, ...work.request.words].join(' ')
  const lock = lockIn(work)
  const unkept = lock === undefined ? 'without a lock the repositories decide what it installs' : undefined
  const step = await beginStep(
    store,
    record,
    { verb: 'dnf', said, unkept, inputs: [async () => inputsOf(work, lock)], createdBy: () => said, told: said },
    work.signal,
  )
  if (!step) return undefined
  const before = step.hit?.output?.stdout
  return {
    ...(step.hit ? { done: JSON.parse(before || emptyResult) as DnfDone } : {}),
    end: (done) => step.end(done ? { state: 'done', output: outputOf(done) } : { state: 'failed' }),
  }
}

const emptyResult = '{"installed":[],"removed":[],"stdout":""}'

function outputOf({ installed, removed }: DnfDone) {
  return { stdout: JSON.stringify({ installed, removed, stdout: '' }), stderr: '', exitCode: 0 }
}

/** The lock's packages, as far as there is one that can be read; who uses it says what is wrong with it. */
function lockIn({ lock }: DnfWork): readonly string[] | undefined {
  if (lock === undefined) return undefined
  try {
    return parsePackageLock(readFileSync(lock, 'utf8'), lock).packages.map(({ checksum }) => checksum)
  } catch {
    return undefined
  }
}

function inputsOf(work: DnfWork, packages: readonly string[] = []): Step['inputs'] {
  const { request, weakDeps, docs, langs, exclude, enableModules, releasever = '', forcearch = '' } = work
  const { command, words } = request
  return {
    command,
    words,
    packages,
    weakDeps,
    docs,
    langs: langs.toSorted(),
    exclude,
    enableModules,
    releasever,
    forcearch,
  }
}

import { readFileSync } from 'node:fs'
import type { AptChange, AptRequest } from '../../distro/apt.js'
import { parsePackageLock } from '../../distro/package-lock.js'
import type { Step } from '../../steps/step.js'
import type { ContainerRecord } from '../../store/containers.js'
import type { Store } from '../../store/store.js'
import { beginStep } from '../step/step.js'

/** A request that is a step of a container made by `from --layers`. */
export interface AptStep {
  /** It was carried out before, and the container has what came of it. */
  readonly done?: AptChange
  /** When it is over; without what was done when it failed. */
  end(done: AptChange | undefined): Promise<void>
}

/**
 * Looks up a request in a container with steps; undefined in one without, and for a request that changes nothing. Only a lock
 * says all that decides the result: without one the sources may have something else next time.
 */
export async function beginAptStep(
  store: Store,
  record: ContainerRecord,
  request: AptRequest,
): Promise<AptStep | undefined> {
  if (!record.steps || request.action === 'download') return undefined
  const said = ['apt', request.action, ...request.packages].join(' ')
  const locked = lockedIn(request)
  const unkept = locked === undefined ? 'without a lock the sources decide what it installs' : undefined
  const inputs = [async () => inputsOf(request, locked)]
  const wish = { verb: 'apt' as const, said, unkept, inputs, createdBy: () => said, told: said }
  const step = await beginStep(store, record, wish, request.signal)
  if (!step) return undefined
  const before = step.hit?.output?.stdout
  return {
    ...(step.hit ? { done: JSON.parse(before || nothing) as AptChange } : {}),
    end: (done) => step.end(done ? { state: 'done', output: outputOf(done) } : { state: 'failed' }),
  }
}

const nothing = '{"mode":"extract","packages":[],"removed":[]}'

function outputOf(done: AptChange) {
  return { stdout: JSON.stringify(done), stderr: '', exitCode: 0 }
}

/** The lock's packages, as far as there is one that can be read; who uses it says what is wrong with it. */
function lockedIn({ lock }: AptRequest): readonly string[] | undefined {
  if (lock === undefined) return undefined
  try {
    return parsePackageLock(readFileSync(lock, 'utf8'), lock).packages.map(({ checksum }) => checksum)
  } catch {
    return undefined
  }
}

function inputsOf(request: AptRequest, locked: readonly string[] = []): Step['inputs'] {
  const { action, packages, mode = '', architecture = '', recommends, depends, exclude, selection } = request
  const { docs, langs } = selection
  const kept = { docs, langs: langs.toSorted() }
  return { action, packages, locked, mode, architecture, recommends, depends, exclude, ...kept }
}

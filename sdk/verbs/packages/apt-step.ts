import type { AptChange, AptRequest } from '../../distro/apt.js'
import type { Step } from '../../steps/step.js'
import type { ContainerRecord } from '../../store/containers.js'
import type { Store } from '../../store/store.js'
import { beginLockedStep, type LockedStep } from './locked-step.js'

/** As {@link beginLockedStep}; undefined also for a request that changes nothing. */
export async function beginAptStep(
  store: Store,
  record: ContainerRecord,
  request: AptRequest,
): Promise<LockedStep<AptChange> | undefined> {
  if (!record.steps || request.action === 'download') return undefined
  return beginLockedStep<AptChange>(store, record, {
    verb: 'apt',
    words: [request.action, ...request.packages],
    lock: request.lock,
    from: 'sources',
    inputs: (locked) => inputsOf(request, locked),
    kept: (done) => done,
    nothing: { mode: 'extract', packages: [], removed: [] },
    signal: request.signal,
  })
}

function inputsOf(request: AptRequest, locked: readonly string[]): Step['inputs'] {
  const { action, packages, mode = '', architecture = '', recommends, depends, exclude, selection } = request
  const { docs, langs } = selection
  const kept = { docs, langs: langs.toSorted() }
  return { action, packages, locked, mode, architecture, recommends, depends, exclude, ...kept }
}

import type { DnfDone } from '../../distro/dnf.js'
import type { DnfWork } from '../../distro/dnf-work.js'
import type { Step } from '../../steps/step.js'
import type { ContainerRecord } from '../../store/containers.js'
import type { Store } from '../../store/store.js'
import { beginLockedStep, type LockedStep } from './locked-step.js'

/** As {@link beginLockedStep}; undefined also for a request that changes nothing. */
export async function beginDnfStep(
  store: Store,
  record: ContainerRecord,
  work: DnfWork,
): Promise<LockedStep<DnfDone> | undefined> {
  if (!record.steps || work.request.does !== 'changes') return undefined
  return beginLockedStep<DnfDone>(store, record, {
    verb: 'dnf',
    words: [...work.request.command, ...work.request.words],
    lock: work.lock,
    from: 'repositories',
    inputs: (locked) => inputsOf(work, locked),
    // What dnf prints is for whoever watches it.
    kept: ({ installed, removed }) => ({ installed, removed, stdout: '' }),
    nothing: { installed: [], removed: [], stdout: '' },
    signal: work.signal,
  })
}

function inputsOf(work: DnfWork, packages: readonly string[]): Step['inputs'] {
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

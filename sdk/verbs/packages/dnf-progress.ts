import type { DnfEvent } from '../../distro/dnf-event.js'
import { type ProgressOptions, showProgress } from '../progress/progress.js'

/** Shows what dnf fetches and installs. */
export function showDnf(options: ProgressOptions): AsyncDisposable & { readonly onEvent: (event: DnfEvent) => void } {
  const progress = showProgress(options, 'dnf')
  let [name, total] = ['packages', 0]
  const note = (state: 'copying' | 'installing' | 'done', bytes: number) =>
    progress.note({ name, kind: 'package', bytes: Math.min(bytes, total), total, state })
  const onEvent = (event: DnfEvent) => {
    if (event.event === 'resolved') {
      const count = event.packages.length
      name = `${count} package${count === 1 ? '' : 's'}`
      total = event.packages.reduce((sum, { bytes }) => sum + bytes, 0)
      if (count > 0) note('copying', 0)
    } else if (event.event === 'bytes') note('copying', event.bytes)
    else if (event.event === 'step' && total > 0)
      note('installing', Math.round((total * event.done) / Math.max(event.total, 1)))
    else if (event.event === 'ended' && total > 0) note('done', total)
  }
  return { onEvent, [Symbol.asyncDispose]: () => progress[Symbol.asyncDispose]() }
}

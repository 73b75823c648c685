import type { DnfEvent } from '../distro/dnf-event.js'
import { type ProgressOptions, showProgress } from './progress/progress.js'

/** Shows what dnf fetches and installs. */
export function showDnf(options: ProgressOptions): AsyncDisposable & { readonly onEvent: (event: DnfEvent) => void } {
  const progress = showProgress(options, 'dnf')
  let name = 'packages'
  let total = 0
  let fetched = 0
  const onEvent = (event: DnfEvent) => {
    if (event.event === 'resolved') {
      const count = event.packages.length
      name = `${count} package${count === 1 ? '' : 's'}`
      total = event.packages.reduce((sum, { bytes }) => sum + bytes, 0)
      if (count > 0) progress.note({ name, kind: 'package', bytes: 0, total, state: 'copying' })
    } else if (event.event === 'bytes') {
      fetched = event.bytes
      progress.note({ name, kind: 'package', bytes: Math.min(fetched, total), total, state: 'copying' })
    } else if (event.event === 'step') {
      const bytes = Math.round((total * event.done) / Math.max(event.total, 1))
      progress.note({ name, kind: 'package', bytes, total, state: 'installing' })
      if (event.done === event.total) progress.note({ name, kind: 'package', bytes: total, total, state: 'done' })
    }
  }
  return { onEvent, [Symbol.asyncDispose]: () => progress[Symbol.asyncDispose]() }
}

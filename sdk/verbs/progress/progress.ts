import { caller } from '../../namespace/caller.js'
import type { CopyProgress } from '../../transport/copy.js'
import { type Display, isOver, type ProgressEvent } from './event.js'
import { jsonDisplay } from './json.js'
import { plainDisplay } from './plain.js'
import { terminalDisplay } from './terminal.js'

/** How a verb that moves images tells how far it is. */
export interface ProgressOptions {
  /**
   * How to show progress on standard error: `tty` redraws lines of a terminal, `plain` and `json` write lines one after
   * the other. `auto` is `tty` on a terminal, else `plain`.
   * @choices auto plain tty json none
   * @default `auto`
   */
  progress?: 'auto' | 'plain' | 'tty' | 'json' | 'none'
  /**
   * Gets how far each blob is: every change of its state, and its bytes ten times a second. Nothing is shown then,
   * unless `progress` says how. What it throws stops the verb and is thrown by it.
   * @sdk
   */
  onProgress?: (event: ProgressEvent) => void
  /**
   * Print nothing but the result.
   * @short q
   */
  quiet?: boolean
}

/** What a verb tells while it works. Dispose of it when the work is over, also when it failed. */
export interface Progress extends AsyncDisposable {
  /** Goes into the options of `copyImage`. */
  readonly onProgress: (progress: CopyProgress) => void
  /** The same for what is no blob yet. */
  readonly note: (event: Omit<ProgressEvent, 'operation'>) => void
}

/** How {@link showProgress} differs for a verb. */
export interface ProgressManner {
  /** Show nothing of work that takes less than so many milliseconds. */
  readonly after?: number
}

/** Begins to show how far a verb is, as its options say; `operation` is the verb's name. */
export function showProgress(
  options: ProgressOptions,
  operation: string,
  { after = 0 }: ProgressManner = {},
): Progress {
  const { onProgress: tell = () => {} } = options
  const display = displayOf(options, operation)
  const show = delayed(display, after)
  const pass = paced((event, now) => {
    tell(event)
    show(event, now)
  })
  const note = (event: Omit<ProgressEvent, 'operation'>) => pass({ operation, ...event }, performance.now())
  return {
    note,
    onProgress: ({ digest, ...rest }) => note({ name: digest, ...rest }),
    [Symbol.asyncDispose]: async () => display?.[Symbol.dispose](),
  }
}

function displayOf({ progress, onProgress, quiet }: ProgressOptions, operation: string): Display | undefined {
  if (quiet) return undefined
  const here = caller()
  const isTerminal = here.columns !== undefined && process.env.TERM !== 'dumb'
  switch (progress ?? (onProgress ? 'none' : 'auto')) {
    case 'auto':
      return isTerminal ? terminalDisplay(here, operation) : plainDisplay(here, operation)
    case 'tty':
      return terminalDisplay(here, operation)
    case 'plain':
      return plainDisplay(here, operation)
    case 'json':
      return jsonDisplay(here)
    case 'none':
      return undefined
  }
}

type Listener = (event: ProgressEvent, now: number) => void

/** Bytes come with every chunk, many thousand times a second; ten a second are passed on. */
function paced(pass: Listener): Listener {
  const last = new Map<string, { readonly state: string; readonly time: number }>()
  return (event, now) => {
    const before = last.get(event.name)
    if (before?.state === event.state && now - before.time < pace) return
    last.set(event.name, { state: event.state, time: now })
    pass(event, now)
  }
}

const pace = 100

/** What is over before the time has come is never shown; what is not is shown from its beginning. */
function delayed(display: Display | undefined, after: number): Listener {
  let isOpen = after === 0
  const first = new Map<string, readonly [ProgressEvent, number]>()
  return (event, now) => {
    if (isOpen) return display?.note(event, now)
    if (!first.has(event.name)) first.set(event.name, [event, now])
    const [[, began] = [event, now]] = first.values()
    if (now - began < after || isOver(event)) return
    isOpen = true
    for (const [one, time] of first.values()) display?.note(one, time)
    display?.note(event, now)
  }
}

import type { BuildEvent } from '../../containerfile/event.js'
import { type Caller, caller } from '../../namespace/caller.js'
import type { ProgressOptions } from '../progress/progress.js'
import { failureBlock } from './failure.js'
import { plainBuild } from './progress-plain.js'
import { terminalBuild } from './progress-terminal.js'
import { type BuildDisplay, BuildRecord } from './record.js'

/** How a build tells what it does. */
export interface BuildProgressOptions extends Pick<ProgressOptions, 'progress' | 'quiet'> {
  /**
   * Gets what happens, as it happens. Nothing is shown then, unless `progress` says how. What it throws stops the build
   * and is thrown by it.
   * @sdk
   */
  onEvent?: (event: BuildEvent) => void
  /**
   * Write a page on the build, for a browser: a timeline, the cache, the layers and their biggest files. Also when the build
   * fails.
   * @placeholder FILE
   */
  report?: string
  /** What to do when a step fails: `shell` opens a shell in its container, with its mounts, before the build fails. */
  onFailure?: 'stop' | 'shell'
}

/** What a build tells while it works. Dispose of it when the work is over, also when it failed. */
export interface BuildProgress extends AsyncDisposable {
  readonly note: (event: BuildEvent) => void
  /** All that was told. */
  readonly record: BuildRecord
  /** Ends the display; what comes after is only recorded. */
  readonly end: () => void
}

/** Begins to show what a build does, as its options say. */
export function showBuild(options: BuildProgressOptions): BuildProgress {
  const here = caller()
  const record = new BuildRecord()
  const manner = mannerOf(options, here)
  const display = displayOf(manner, here, record)
  let isOpen = true
  const end = () => {
    if (!isOpen) return
    isOpen = false
    display?.[Symbol.dispose]()
    // Whoever hears the events has the output already.
    if (record.failed && manner !== 'json' && !options.onEvent) here.say(failureBlock(record.failed))
  }
  return {
    record,
    end,
    note(event) {
      options.onEvent?.(event)
      const said = record.note(event)
      if (isOpen) display?.note(event, said)
    },
    [Symbol.asyncDispose]: async () => end(),
  }
}

type Manner = Exclude<NonNullable<ProgressOptions['progress']>, 'auto'>

function mannerOf({ progress, onEvent, quiet }: BuildProgressOptions, here: Caller): Manner {
  if (quiet) return 'none'
  const wanted = progress ?? (onEvent ? 'none' : 'auto')
  if (wanted !== 'auto') return wanted
  return here.columns !== undefined && process.env.TERM !== 'dumb' ? 'tty' : 'plain'
}

function displayOf(manner: Manner, here: Caller, record: BuildRecord): BuildDisplay | undefined {
  switch (manner) {
    case 'tty':
      return terminalBuild(here, record)
    case 'plain':
      return plainBuild(here, record)
    case 'json':
      return { note: (event) => here.say(`${JSON.stringify(event)}\n`), [Symbol.dispose]() {} }
    case 'none':
      return undefined
  }
}

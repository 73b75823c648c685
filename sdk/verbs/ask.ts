import { ReadStream } from 'node:tty'
import { BuilderError } from '../errors.js'
import { caller } from '../namespace/caller.js'
import { dropTyped } from '../namespace/libc.js'

/** Whether there is a terminal to ask at. */
export function canAsk(): boolean {
  return caller().stdin() instanceof ReadStream
}

/**
 * Asks the user at the terminal and gives the line. What is typed shows only where it is no secret. Throws `ABORTED` when
 * the user ends the input, and when `signal` fires.
 */
export async function ask(
  question: string,
  { isSecret = false, isConsent = false, operation = 'login', signal }: AskOptions = {},
): Promise<string> {
  const stdin = caller().stdin() as ReadStream
  // Before the question: who types ahead must not be echoed.
  if (isSecret) stdin.setRawMode(true)
  if (isConsent) dropTyped((stdin as ReadStream & { readonly fd: number }).fd)
  caller().say(question)
  try {
    return await lineOf(stdin, operation, signal)
  } finally {
    if (isSecret) {
      stdin.setRawMode(false)
      caller().say('\n')
    }
    stdin.pause()
  }
}

/** How to ask. */
export interface AskOptions {
  readonly isSecret?: boolean
  /** What was typed before the question is no answer to it. */
  readonly isConsent?: boolean
  /** What is being done, for the message when nobody answers. Default: login. */
  readonly operation?: string
  readonly signal?: AbortSignal | undefined
}

/** In raw mode the terminal edits nothing itself: Backspace, Ctrl-U, Ctrl-C and Ctrl-D come as characters. */
function lineOf(stdin: ReadStream, operation: string, signal: AbortSignal | undefined): Promise<string> {
  stdin.setEncoding('utf8')
  return new Promise((resolve, reject) => {
    let line: string[] = []
    const done = (settle: () => void) => {
      stdin.off('data', read).off('end', stop)
      signal?.removeEventListener('abort', stop)
      settle()
    }
    const stop = () => done(() => reject(stopped(operation)))
    const read = (text: string) => {
      for (const sign of text) {
        if (sign === '\r' || sign === '\n') return done(() => resolve(line.join('')))
        if (sign === '\x03' || (sign === '\x04' && line.length === 0)) return stop()
        if (sign === '\x7f' || sign === '\b') line.pop()
        else if (sign === '\x15') line = []
        else line.push(sign)
      }
    }
    stdin.on('data', read).on('end', stop)
    signal?.addEventListener('abort', stop)
    stdin.resume()
  })
}

function stopped(operation: string): BuilderError {
  return new BuilderError('ABORTED', { operation, object: '', reason: 'no answer was given' })
}

import { writeSync } from 'node:fs'

/** What a command line comes to: what to write where, and the exit code. */
export interface Answer {
  /** Written at once, after everything has happened. */
  readonly stdout: string
  readonly stderr: string
  /** 0; 125 when builder itself failed; what the verb says (`run`: the command's own). */
  readonly exitCode: number
  /** The verb stopped because `signal` told it to. */
  readonly isAborted?: boolean
}

/**
 * Writes all of a text to standard output (1) or standard error (2) and returns when the kernel has it. A reader that
 * went away is no failure (`builder images | head -1`); a pipe that is full and does not block is waited for.
 */
export async function writeOut(descriptor: 1 | 2, text: string): Promise<void> {
  let rest: Uint8Array = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') return
      if (code !== 'EAGAIN') throw error
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

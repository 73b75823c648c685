/** Stores and child processes for the tests of this room. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore, type Store } from '../../sdk/store/store.js'
import { tempDir } from '../lane.js'

export * from './commit.js'

/** An empty store that is gone when the test ends. */
export async function emptyStore(t: Pick<TestContext, 'after'>): Promise<Store> {
  const folder = tempDir(t)
  return openStore({ root: join(folder, 'root'), runroot: join(folder, 'run') })
}

/** A child process running one of the modules beside this one, its lines of output, and how it ends. */
export interface Child {
  readonly process: ChildProcess
  readonly lines: AsyncIterableIterator<string>
  /** The exit code, or the signal's name; what it wrote to stderr. */
  readonly ended: Promise<{ end: number | string; stderr: string }>
}

export function startChild(module: string, ...args: readonly string[]): Child {
  const path = fileURLToPath(new URL(`./${module}.js`, import.meta.url))
  const child = spawn(process.execPath, ['--enable-source-maps', path, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const ended = new Promise<{ end: number | string; stderr: string }>((resolve) =>
    child.on('close', (code, signal) => resolve({ end: code ?? signal ?? '', stderr })),
  )
  return { process: child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](), ended }
}

/** The error that a promise ends with. */
export async function failure(promise: Promise<unknown>): Promise<Error & { code?: string; hint?: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('it did not fail')
}

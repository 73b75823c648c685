/**
 * What every test file may lean on: which lane runs it, folders that are gone afterwards, and the real command.
 */
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { removeTree, top } from './remove-tree.js'

export { type Lane, lane, removeTree, top } from './remove-tree.js'

/**
 * True when the programs are there. Otherwise the test is skipped, and in CI it fails; use as
 * `if (!needs(t, 'skopeo')) return`. A program is also a line of test/setup/packages.mjs.
 */
export function needs(t: TestContext, ...programs: readonly string[]): boolean {
  const missing = programs.filter((program) => !hasProgram(program))
  if (missing.length === 0) return true
  if (process.env.CI) throw new Error(`${missing.join(', ')} missing, and CI skips nothing`)
  t.skip(`${missing.join(', ')} missing`)
  return false
}

function hasProgram(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** A new folder, removed when the test ends, with whatever is mounted in it and whoever owns what it holds. */
export function tempDir(t: { after(end: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'test-'))
  t.after(() => removeTree(folder))
  return folder
}

/** What a command printed, and how it ended; 128 + the signal's number when a signal ended it. */
export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

export interface BuilderOptions {
  /** A folder for the store and the run-time folder; by default one for the whole test file. */
  readonly store?: string
  /** Added to the environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Standard input; none by default. */
  readonly input?: string | Uint8Array
  readonly signal?: AbortSignal
}

/** Runs the real command, bin/builder, with a store of its own. Never throws for its exit code. */
export async function builder(args: readonly string[], options: BuilderOptions = {}): Promise<Ran> {
  const store = options.store ?? fileStore()
  const places = ['--root', join(store, 'root'), '--runroot', join(store, 'run')]
  return command([join(top, 'bin/builder'), ...places, ...args], options)
}

/** Runs any program the same way. */
export function command(argv: readonly string[], options: Omit<BuilderOptions, 'store'> = {}): Promise<Ran> {
  const { env, cwd, input, signal } = options
  const [program = '', ...args] = argv
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      ...(cwd !== undefined && { cwd }),
      ...(signal && { signal }),
    })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text
      })
    child.stdin.on('error', () => {}).end(input)
    child.on('error', reject)
    child.on('close', (code, by) => resolve({ ...output, code: code ?? 128 + (by === 'SIGKILL' ? 9 : 15) }))
  })
}

let shared: string | undefined

function fileStore(): string {
  shared ??= mkdtempSync(join(tmpdir(), 'store-'))
  return shared
}

after(() => {
  if (shared) removeTree(shared)
})

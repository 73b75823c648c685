/**
 * What every test file may lean on: which lane runs it, folders that are gone afterwards, and the real command.
 */
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The project's folder: above dist/test/. */
export const top = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

export type Lane = 'root' | 'user' | 'bare'

/** The lane that runs this file; by the user id when the file is run by hand. */
export function lane(): Lane {
  const name = process.env.BUILDER_LANE
  if (name === 'root' || name === 'user' || name === 'bare') return name
  return process.getuid?.() === 0 ? 'root' : 'user'
}

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

/** Removes a tree: unmounts what is mounted in it, and takes the way through a namespace for files of mapped ids. */
export function removeTree(folder: string): void {
  for (const mount of mountsBelow(folder)) spawnSync('umount', ['--lazy', mount])
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch (error) {
    if (process.getuid?.() === 0 || lane() === 'bare') throw error
    spawnSync(process.execPath, [join(top, 'test/setup/inside.mjs'), 'rm', '-rf', folder])
    if (existsSync(folder)) throw error
  }
}

function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) =>
      line.split(' ')[4]?.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((path) => path?.startsWith(`${folder}/`) === true)
    .reverse() as string[]
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

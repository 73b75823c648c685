/**
 * A store that is used through the shell's door only, with what the proofs ask of it afterwards: whole, nothing
 * unfinished, no process and no mount left.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type BuilderOptions, builder, command, lane, type Ran, removeTree, top } from '../lane.js'

export interface Scene {
  readonly folder: string
  readonly root: string
  /** A path in the folder. */
  at(name: string): string
  /** Runs a verb, whatever comes of it. */
  run(args: readonly string[], options?: BuilderOptions): Promise<Ran>
  /** Runs a verb that must succeed and gives what it printed. */
  ok(args: readonly string[], options?: BuilderOptions): Promise<string>
  /** Runs a verb that must fail with exit code 125 and a message that all patterns match; gives the message. */
  refuses(args: readonly string[], patterns: readonly RegExp[], options?: BuilderOptions): Promise<string>
  /** Starts a verb in a process group of its own and kills the group after a while; the exit code when it was faster. */
  killed(args: readonly string[], afterMs: number): Promise<number | undefined>
}

/** A new store, and a folder for files beside it; both go with the test. */
export function newScene(t: Pick<TestContext, 'after'>): Scene {
  // In lower case, for buildah makes image names of paths.
  const folder = join(tmpdir(), `proof-${randomBytes(3).toString('hex')}`)
  mkdirSync(folder, { mode: 0o700 })
  t.after(() => removeTree(folder))
  const places = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run')]
  const run = (args: readonly string[], options: BuilderOptions = {}) => builder(args, { store: folder, ...options })
  return {
    folder,
    root: join(folder, 'root'),
    at: (name) => join(folder, name),
    run,
    async ok(args, options) {
      const { code, stdout, stderr } = await run(args, options)
      assert.equal(code, 0, `builder ${args.join(' ')}: ${stderr}${stdout}`)
      return stdout.trimEnd()
    },
    async refuses(args, patterns, options) {
      const { code, stderr } = await run(args, options)
      assert.equal(code, 125, `builder ${args.join(' ')} ended with ${code}: ${stderr}`)
      for (const pattern of patterns) assert.match(stderr, pattern)
      assert.doesNotMatch(stderr, /\bE[A-Z]{3,}:|This is a bug|\n\s+at /, 'a raw error of the system')
      return stderr
    },
    killed: (args, afterMs) => startAndKill([join(top, 'bin/builder'), ...places, ...args], afterMs),
  }
}

function startAndKill([program = '', ...args]: readonly string[], afterMs: number): Promise<number | undefined> {
  const child = spawn(program, args, { detached: true, stdio: 'ignore' })
  const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), afterMs)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      clearTimeout(timer)
      resolve(code ?? undefined)
    })
  })
}

/** The store is whole to the last byte. */
export async function assertWhole(scene: Scene): Promise<void> {
  const { code, stdout, stderr } = await scene.run(['check', '--deep'])
  assert.equal(code, 0, `${stderr}${stdout}`)
  assert.match(stdout, /^the store is whole/)
}

/** After a prune nothing unfinished is in the store, and nothing of it lives or is mounted anywhere. */
export async function assertTidy(scene: Scene): Promise<void> {
  await scene.ok(['prune'])
  assert.deepEqual(readdirSync(join(scene.root, 'tmp')), [], 'tmp/')
  assert.deepEqual(await waitUntilNone(() => processesOf(scene)), [], 'processes')
  assert.deepEqual(await waitUntilNone(() => mountsOf(scene)), [], 'mounts')
}

/** No container and no image came to be, and nothing unfinished stays: without the help of a prune. */
export async function assertUntouched(scene: Scene, { containers = 0, images = 0 } = {}): Promise<void> {
  const lines = (text: string) => text.split('\n').filter(Boolean).length
  assert.equal(lines(await scene.ok(['containers', '-q'])), containers, 'containers')
  assert.equal(lines(await scene.ok(['images', '-q'])), images, 'images')
  assert.deepEqual(readdirSync(join(scene.root, 'tmp')), [], 'tmp/')
  // A mount namespace that another test made meanwhile has a copy of what was mounted then.
  assert.deepEqual(await waitUntilNone(() => mountsOf(scene)), [], 'mounts')
}

/** Processes whose command line names the scene's folder. A container's command names it to be found. */
export function processesOf({ folder }: Scene): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && pid !== `${process.pid}`)
    .map((pid) => `${pid} ${contentOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`)
    .filter((line) => line.includes(folder))
}

/** Mount points below the store, in this and every other mount namespace that can be seen. */
export function mountsOf({ root }: Scene): string[] {
  const tables = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid))
  const rows = tables.flatMap((pid) => contentOf(`/proc/${pid}/mountinfo`).split('\n'))
  return [...new Set(rows.flatMap((row) => row.split(' ')[4] ?? []).filter((path) => path.startsWith(root)))]
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** What was killed needs a moment to be gone. */
async function waitUntilNone(list: () => string[]): Promise<string[]> {
  for (let turn = 0; turn < 100 && list().length > 0; turn++) await new Promise((resolve) => setTimeout(resolve, 50))
  return list()
}

/** A container named `base` with busybox and its applets' links as /bin. */
export async function busyboxContainer(scene: Scene, name = 'base'): Promise<string> {
  mkdirSync(scene.at('busybox/bin'), { recursive: true })
  mkdirSync(scene.at('busybox/tmp'), { recursive: true })
  const applets =
    'sh cat echo ls mkdir rm ln touch sleep true false stat find chown chmod dd id mv grep test readlink printf'.split(
      ' ',
    )
  const { code, stderr } = await command([
    'sh',
    '-c',
    `cp /bin/busybox "$0/bin/busybox"; for a in ${applets.join(' ')}; do ln -sf busybox "$0/bin/$a"; done`,
    scene.at('busybox'),
  ])
  assert.equal(code, 0, stderr)
  await scene.ok(['from', '--name', name, 'scratch'])
  await scene.ok(['copy', '-q', name, scene.at('busybox'), '/'])
  await scene.ok(['config', '--env', 'PATH=/bin', '--cmd', '/bin/sh', name])
  return name
}

/** A folder with many small files and a large one. */
export function tree(scene: Scene, name: string, files = 300): string {
  const folder = scene.at(name)
  for (let i = 0; i < files; i++) {
    mkdirSync(join(folder, `d${i % 10}`), { recursive: true })
    writeFileSync(join(folder, `d${i % 10}`, `f${i}`), `${name} ${i}\n`.repeat(1 + (i % 50)))
  }
  writeFileSync(join(folder, 'large'), Buffer.alloc(6_000_000, name))
  return folder
}

/** The names in each layer of an image, bottom first, as tar lists them. */
export async function layersOf(scene: Scene, image: string, how = '-tf'): Promise<string[][]> {
  const folder = scene.at(`layers-${++listed}`)
  await scene.ok(['push', '-q', image, `dir:${folder}`])
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  const layers: string[][] = []
  for (const { digest } of manifest.layers) {
    const { stdout, stderr, code } = await command(['tar', how, join(folder, digest.replace('sha256:', ''))])
    assert.equal(code, 0, stderr)
    layers.push(stdout.split('\n').filter(Boolean))
  }
  return layers
}

let listed = 0

/** True for the lane that is the machine's own root. */
export function isRoot(): boolean {
  return lane() === 'root'
}

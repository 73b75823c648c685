import { spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finishRun, type PreparedRun, prepareRun, type RunRequest } from '../../sdk/runtime/run.js'

/** True as root of the machine or of a user namespace: what a run needs. */
export const inside = process.getuid?.() === 0

/** A root file system of busybox alone, in a temporary folder that goes with it. */
export interface Rootfs extends Disposable {
  readonly path: string
  /** The temporary folder around it. */
  readonly folder: string
}

export function busyboxRootfs(): Rootfs {
  const folder = mkdtempSync(join(tmpdir(), 'builder-runtime-'))
  const path = join(folder, 'rootfs')
  for (const dir of ['', 'bin', 'etc', 'root']) mkdirSync(join(path, dir))
  chmodSync(folder, 0o755)
  copyFileSync('/bin/busybox', join(path, 'bin/busybox'))
  chmodSync(join(path, 'bin/busybox'), 0o755)
  for (const applet of applets) symlinkSync('busybox', join(path, 'bin', applet))
  writeFileSync(join(path, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\n')
  writeFileSync(join(path, 'etc/group'), 'root:x:0:\nweb:x:1000:\nstaff:x:50:web\nlog:x:51:other,web\n')
  return { path, folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end. */
export async function run(rootfs: Rootfs, request: Partial<RunRequest>, input = ''): Promise<Outcome> {
  const prepared = await prepare(rootfs, request)
  try {
    return await execute(prepared.argv, prepared.env, input)
  } finally {
    await finishRun(prepared)
  }
}

export function prepare(rootfs: Rootfs, request: Partial<RunRequest>): Promise<PreparedRun> {
  const folder = join(rootfs.folder, `run-${++runs}`)
  return prepareRun({
    ...{ rootfs: rootfs.path, folder, config: {}, args: ['true'], terminal: false, network: 'host', mounts: [] },
    ...request,
  })
}

export function execute(argv: readonly string[], env: Record<string, string>, input = ''): Promise<Outcome> {
  const child = spawn(argv[0] as string, argv.slice(1), { env, stdio: 'pipe' })
  const out = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text))
  child.stdin.on('error', () => {}).end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...out }))
  })
}

/** Everything about a tree that a layer would hold, to compare before and after. */
export function snapshot(path: string): string[] {
  return ['', ...(readdirSync(path, { recursive: true }) as string[])].sort().map((name) => {
    const { mode, uid, gid, size, mtimeNs } = lstatSync(join(path, name), { bigint: true })
    return `${name} ${mode.toString(8)} ${uid}:${gid} ${size} ${mtimeNs}`
  })
}

let runs = 0
const applets =
  'sh cat echo env id ls grep hostname ip mount mkdir pwd sleep true false touch ps stat swapon test tty'.split(' ')

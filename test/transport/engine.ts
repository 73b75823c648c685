import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { removeTree } from '../remove-tree.js'
import { podmanService, toolEnvironment } from './other-tools.js'
import type { Bench } from './sample.js'

/** A container engine of the tests' own: dockerd with every folder and its socket in one that goes with it. */
export interface Engine extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly host: string
}

/**
 * Starts dockerd, which needs root. It gets no network, touches no firewall, and starts its own containerd. `driver` is
 * where its layers lie: vfs works on every file system.
 */
export async function startEngine(driver: 'vfs' | 'overlay2' = 'vfs'): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), 'engine-'))
  const at = (name: string) => join(folder, name)
  writeFileSync(at('daemon.json'), '{}')
  mkdirSync(at('tmp'))
  const log = openSync(at('log'), 'a')
  const places = [
    '--data-root',
    at('data'),
    '--exec-root',
    at('exec'),
    '--pidfile',
    at('pid'),
    '-H',
    `unix://${at('s')}`,
  ]
  const quiet = ['--bridge=none', '--iptables=false', '--ip-forward=false', '--ip-masq=false']
  const rest = [
    '--storage-driver',
    driver,
    '--exec-opt',
    'native.cgroupdriver=cgroupfs',
    '--config-file',
    at('daemon.json'),
  ]
  const env = { ...process.env, HOME: folder, TMPDIR: at('tmp') }
  const child = spawn('dockerd', [...places, ...quiet, ...rest], { stdio: ['ignore', log, log], env })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()).on('error', () => resolve()))
  const engine = { host: `unix://${at('s')}`, [Symbol.asyncDispose]: () => stop(child, ended, folder) }
  if (await isUp(child, at('s'))) return engine
  const said = readFileSync(at('log'), 'utf8').split('\n').slice(-8).join('\n')
  await engine[Symbol.asyncDispose]()
  throw new Error(`dockerd did not start:\n${said}`)
}

/** podman's service, which speaks the same language, with its storage in the bench; it runs for a plain user too. */
export async function startPodman(bench: Bench): Promise<Engine> {
  const socket = bench.at('podman')
  const [program = '', ...args] = podmanService(bench, `unix://${socket}`)
  const child = spawn(program, args, { stdio: 'ignore', env: toolEnvironment(bench) })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()).on('error', () => resolve()))
  const engine = { host: `unix://${socket}`, [Symbol.asyncDispose]: () => stop(child, ended) }
  if (await isUp(child, socket)) return engine
  await engine[Symbol.asyncDispose]()
  throw new Error('podman system service did not start')
}

async function isUp(child: ChildProcess, socket: string): Promise<boolean> {
  for (let turn = 0; turn < 300 && child.exitCode === null; turn++) {
    if (await answers(socket)) return true
    await wait(100)
  }
  return false
}

async function stop(child: ChildProcess, ended: Promise<void>, folder?: string): Promise<void> {
  child.kill('SIGTERM')
  // It ends its containerd itself, and needs a moment for that.
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(late)
  if (folder !== undefined) removeTree(folder)
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/_ping' }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    asked.on('error', () => resolve(false)).end()
  })
}

import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { BuilderError, RunError } from '../errors.js'

/** A program of the host that a transport needs. */
export interface Tool {
  readonly program: string
  /** The package that brings it, for the hint. */
  readonly package: string
}

/** How a tool is run, and for which image. */
export interface ToolCall {
  /** `transport:rest`, for messages. */
  readonly name: string
  readonly operation: 'read image' | 'write image' | 'read repository'
  readonly signal?: AbortSignal
}

/** A tool that runs: it reads `stdin`, and has ended well when `done` is. Disposing of it ends it. */
export interface RunningTool extends AsyncDisposable {
  readonly stdin: Writable
  /** What it prints; throws `RUN` when it fails. */
  readonly stdout: AsyncIterable<Uint8Array>
  readonly done: Promise<void>
}

/** The first of some tools that this machine has. Throws `UNSUPPORTED` with the package of the first. */
export function needTool(tools: readonly [Tool, ...Tool[]], { name, operation }: ToolCall): Tool {
  const found = tools.find(({ program }) => hasTool(program))
  if (found) return found
  const [{ program, package: brings }] = tools
  throw new BuilderError('UNSUPPORTED', {
    operation,
    object: name,
    reason: `this needs ${tools.map((tool) => tool.program).join(' or ')}, which this machine does not have`,
    hint: `install the package ${brings}${program === brings ? '' : `, which brings ${program}`}`,
  })
}

/** Runs a tool to its end and gives what it printed, at most 16 MiB. Throws `RUN`, `ABORTED`. */
export async function runTool(argv: readonly string[], call: ToolCall): Promise<string> {
  await using tool = startTool(argv, call)
  tool.stdin.end()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of tool.stdout) {
    size += chunk.length
    if (size <= printLimit) chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Starts a tool. It speaks English, and knows the user of the namespace it is in. */
export function startTool(argv: readonly string[], call: ToolCall): RunningTool {
  const [program = '', ...args] = argv
  const { signal } = call
  const env = { ...process.env, ...rootless(), LC_ALL: 'C.UTF-8' }
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env, ...(signal ? { signal } : {}) })
  // A tool that fails stops reading; why it failed is what counts.
  child.stdin.on('error', () => {})
  const done = ending(child, argv, call)
  done.catch(() => {})
  async function* printed() {
    yield* Readable.from(child.stdout) as AsyncIterable<Uint8Array>
    await done
  }
  return {
    stdin: child.stdin,
    stdout: printed(),
    done,
    async [Symbol.asyncDispose]() {
      child.stdin.destroy()
      child.stdout.destroy()
      await done.catch(() => {})
    },
  }
}

function hasTool(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })
}

function ending(child: ChildProcess, argv: readonly string[], { name, operation, signal }: ToolCall): Promise<void> {
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-sayLimit)
  })
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => {
      const code = signal?.aborted ? 'ABORTED' : 'SYSTEM'
      const reason = signal?.aborted ? 'stopped before it was done' : `${argv[0]} could not be started`
      reject(new BuilderError(code, { operation, object: name, reason, cause }))
    })
    child.on('close', (code, by) => {
      if (code === 0) return resolve()
      const reason = `${argv[0]} ${by ? `was ended by ${by}` : `failed with exit code ${code}`}: ${lastLine(said)}`
      reject(new RunError({ operation, object: name, reason, argv, exitCode: code ?? 128, stderr: said }))
    })
  })
}

function lastLine(said: string): string {
  const line = said.trim().split('\n').at(-1) ?? ''
  return /msg="(.*)"$/.exec(line)?.[1] ?? (line === '' ? 'it said nothing' : line)
}

/** True for a plain user, and for root of a namespace that one made. */
export function isRootless(): boolean {
  return process.getuid?.() !== 0 || ownerOf('/proc/self/uid_map') !== '0'
}

/**
 * In a user namespace root is not root: skopeo, podman and buildah look there for the user's own storage when they are
 * told whose namespace it is, as they tell each other.
 */
function rootless(): Readonly<Record<string, string>> {
  if (!isRootless() || process.getuid?.() !== 0) return {}
  const [uid, gid] = [ownerOf('/proc/self/uid_map'), ownerOf('/proc/self/gid_map')]
  return { _CONTAINERS_USERNS_CONFIGURED: 'done', _CONTAINERS_ROOTLESS_UID: uid, _CONTAINERS_ROOTLESS_GID: gid }
}

function ownerOf(map: string): string {
  return /^\s*0\s+(\d+)/.exec(readFileSync(map, 'latin1'))?.[1] ?? '0'
}

const printLimit = 16 * 1024 * 1024
const sayLimit = 16 * 1024

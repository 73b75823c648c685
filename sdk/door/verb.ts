import { fileURLToPath } from 'node:url'
import { BuilderError } from '../errors.js'
import { type Engine, sharedEngine } from '../namespace/engine.js'
import { isInside } from '../namespace/inside.js'
import type { GlobalOptions } from '../verbs/global.js'
import { type Method, type MethodName, methods } from './methods.js'
import { type EngineCall, surroundings } from './surroundings.js'

/** What only reads or changes metadata needs no namespace, wherever the script runs. */
const outside: ReadonlySet<MethodName> = new Set<MethodName>([
  'config',
  'containers',
  'images',
  'inspect',
  'rename',
  'tag',
  'untag',
  'version',
])

/**
 * A verb as a TypeScript script calls it: in this process when it is inside already, else in an engine, a child that is
 * started at the first need and ends with the script.
 */
export function verb<N extends MethodName>(name: N): Method<N> {
  const call = async (...args: unknown[]): Promise<unknown> => {
    const signal = signalOf(args)
    if (signal?.aborted) throw stopped(name)
    try {
      return await (isLocal(name) ? callHere(name, args) : callEngine(name, args, signal))
    } catch (error) {
      throw signal?.aborted && !(error instanceof BuilderError) ? stopped(name, error) : error
    }
  }
  return call as unknown as Method<N>
}

/** Words that put a command into the namespace where this script's containers are mounted; none when it is there already. */
export async function entering(): Promise<readonly string[]> {
  if (isInside()) return []
  const { pid } = await engine()
  return ['nsenter', '-t', `${pid}`, '-U', '-m', '--preserve-credentials', '--']
}

/** A path of the namespace as this process can read and write it. */
export async function reachable(path: string): Promise<string> {
  return isInside() || path.startsWith('/proc/') ? path : (await engine()).path(path)
}

function isLocal(name: MethodName): boolean {
  return isInside() || outside.has(name)
}

async function callHere(name: MethodName, args: readonly unknown[]): Promise<unknown> {
  const method = (await methods[name]()) as (...args: readonly unknown[]) => Promise<unknown>
  return method(...args)
}

/** The signal stays here; the engine is told when it fires. */
async function callEngine(name: MethodName, args: readonly unknown[], signal: AbortSignal | undefined) {
  const call: EngineCall = { args: args.map(withoutSignal), surroundings: surroundings() }
  return (await engine()).call(name, call, signal ? { signal } : {})
}

function signalOf(args: readonly unknown[]): AbortSignal | undefined {
  return args.map((arg) => (arg as GlobalOptions | undefined)?.signal).find((one) => one instanceof AbortSignal)
}

function stopped(operation: string, cause?: unknown): BuilderError {
  return new BuilderError('ABORTED', { operation, object: 'its signal', reason: 'stopped before it was done', cause })
}

function withoutSignal(arg: unknown): unknown {
  if (typeof arg !== 'object' || arg === null || Array.isArray(arg) || !('signal' in arg)) return arg
  const { signal: _, ...rest } = arg
  return rest
}

function engine(): Promise<Engine> {
  // The engine is loaded as this file was: `.ts` when a loader such as tsx is at work, whose options it then needs too.
  const isSource = import.meta.url.endsWith('.ts')
  const entry = fileURLToPath(new URL(`engine-main.${isSource ? 'ts' : 'js'}`, import.meta.url))
  return sharedEngine({ entry, ...(isSource ? { nodeOptions: process.execArgv } : {}) })
}

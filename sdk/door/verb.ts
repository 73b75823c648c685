import { fileURLToPath } from 'node:url'
import type { BuildEvent } from '../containerfile/event.js'
import { BuilderError } from '../errors.js'
import { type Engine, sharedEngine } from '../namespace/engine.js'
import { isInside } from '../namespace/inside.js'
import { joinSession } from '../namespace/session-client.js'
import { ownSurrounding } from '../namespace/surroundings.js'
import type { BuildProgressOptions } from '../verbs/build/progress.js'
import type { GlobalOptions } from '../verbs/global.js'
import type { ProgressEvent } from '../verbs/progress/event.js'
import type { ProgressOptions } from '../verbs/progress/progress.js'
import type { EngineCall } from './carry-out.js'
import { type Method, type MethodName, methods } from './methods.js'

/** What only reads or changes metadata needs no namespace, wherever the script runs. */
const outside: ReadonlySet<MethodName> = new Set<MethodName>([
  'config',
  'containers',
  'deleteImage',
  'generateKube',
  'generateQuadlet',
  'history',
  'imageInspect',
  'images',
  'inspect',
  'listTags',
  'logs',
  'manifestExists',
  'manifestInspect',
  'packages',
  'preprocess',
  'referrers',
  'rename',
  'runlabel',
  'sync',
  'tag',
  'tree',
  'untag',
  'version',
])

/**
 * A verb as a TypeScript script calls it: in this process when it is inside already, else in an engine, a child that is
 * started at the first need and ends with the script.
 */
export function verb<N extends MethodName>(name: N): Method<N> {
  const call = async (...args: unknown[]): Promise<unknown> => {
    const { signal } = ownOf(args)
    if (signal?.aborted) throw stopped(name)
    try {
      return await hearing(args, (heard) => (isLocal(name) ? callHere : callEngine)(name, heard))
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

/** Signal and listener stay here: the engine is told when the one fires, and tells what the other is to hear. */
async function callEngine(name: MethodName, args: readonly unknown[]) {
  const { signal, onProgress, onEvent } = ownOf(args)
  const listens = onEvent ? 'onEvent' : onProgress ? 'onProgress' : undefined
  const call: EngineCall = { args: args.map(plain), surroundings: ownSurrounding(), ...(listens ? { listens } : {}) }
  const hear = (event: unknown) => (onEvent ? onEvent(event as BuildEvent) : onProgress?.(event as ProgressEvent))
  return (await engine()).call(name, call, { onEvent: hear, ...(signal ? { signal } : {}) })
}

function stopped(operation: string, cause?: unknown): BuilderError {
  return new BuilderError('ABORTED', { operation, object: 'its signal', reason: 'stopped before it was done', cause })
}

type Own = Pick<GlobalOptions, 'signal'> & Pick<ProgressOptions, 'onProgress'> & Pick<BuildProgressOptions, 'onEvent'>

/** What of the options, the last argument, is no plain data. */
function ownOf(args: readonly unknown[]): Own {
  const options = args.at(-1)
  return isOptions(options) ? options : {}
}

/** Calls with a listener that may throw: that stops the verb, wherever it runs, and is what the call throws. */
async function hearing(args: readonly unknown[], call: (args: readonly unknown[]) => Promise<unknown>) {
  const { signal, onProgress, onEvent } = ownOf(args)
  if (!onProgress && !onEvent) return call(args)
  const stopper = new AbortController()
  const guarded =
    <Event>(listener: (event: Event) => void) =>
    (event: Event) => {
      if (stopper.signal.aborted) return
      try {
        listener(event)
      } catch (error) {
        stopper.abort(error)
      }
    }
  const heard: Own = {
    signal: signal ? AbortSignal.any([signal, stopper.signal]) : stopper.signal,
    ...(onProgress ? { onProgress: guarded(onProgress) } : {}),
    ...(onEvent ? { onEvent: guarded(onEvent) } : {}),
  }
  const options = { ...(args.at(-1) as object), ...heard }
  return call([...args.slice(0, -1), options]).finally(() => stopper.signal.throwIfAborted())
}

function isOptions(arg: unknown): arg is object {
  return typeof arg === 'object' && arg !== null && !Array.isArray(arg)
}

/** Structured clone copies neither signals nor functions. */
function plain(arg: unknown): unknown {
  if (!isOptions(arg)) return arg
  const { signal: _, onProgress: __, onEvent: ___, ...rest } = arg as Own
  return rest
}

/** The session's, when the script was started in one; else a child of this process. */
function engine(): Promise<Engine> {
  const session = joinSession(process.env.BUILDER_SESSION)
  if (session) return Promise.resolve(session)
  // The engine is loaded as this file was: `.ts` when a loader such as tsx is at work, whose options it then needs too.
  const isSource = import.meta.url.endsWith('.ts')
  const entry = fileURLToPath(new URL(`engine-main.${isSource ? 'ts' : 'js'}`, import.meta.url))
  return sharedEngine({ entry, ...(isSource ? { nodeOptions: process.execArgv } : {}) })
}

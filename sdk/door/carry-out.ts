import { caller, onBehalfOf } from '../namespace/caller.js'
import type { EngineContext, EngineHandler } from '../namespace/serve-engine.js'
import type { Script } from '../namespace/session-script.js'
import type { Surrounding, Surroundings } from '../namespace/surroundings.js'
import type { GlobalOptions } from '../verbs/global.js'
import type { ProgressOptions } from '../verbs/progress/progress.js'
import { type BegunRun, type MethodName, methods } from './methods.js'

/** What crosses to the engine with every call. */
export interface EngineCall {
  readonly args: readonly unknown[]
  readonly surroundings: Surrounding
  /** What the script calls its listener, when it wants to hear how far the verb is. */
  readonly listens?: 'onProgress' | 'onEvent'
}

/**
 * The engine's work: carries out what a script calls. Calls from the same surroundings run side by side; one from others
 * (another working folder, another SOURCE_DATE_EPOCH) waits until those are done, for a process has one of each only.
 */
export function carryingOut(surroundings: Surroundings): EngineHandler {
  return async (method, args, context) => {
    const call = args as EngineCall
    const leave = await surroundings.enter(call.surroundings)
    try {
      const run = (await methods[method as MethodName]()) as (...args: readonly unknown[]) => Promise<unknown>
      const own = { signal: context.signal, ...(call.listens ? { [call.listens]: context.emit } : {}) }
      return await speaking(context, () => run(...withOwn(call.args.map(orAbsent), own)))
    } finally {
      leave()
    }
  }
}

/** The work of one script among others: when it is gone, the commands that it began end, and no others. */
export function scriptIn(surroundings: Surroundings): Script {
  const carryOut = carryingOut(surroundings)
  const tokens = new Set<string>()
  return {
    async handle(method, args, context) {
      const value = await carryOut(method, args, context)
      if (begins.has(method)) tokens.add((value as BegunRun).token)
      if (method === 'endRun' || method === 'endOnHost') tokens.delete((args as EngineCall).args[0] as string)
      return value
    },
    async onGone() {
      const { endRun } = await import('../verbs/run/begin.js')
      const { endOnHost } = await import('../verbs/run/on-host.js')
      // Each knows its own ones only.
      await Promise.all([...tokens].flatMap((token) => [endRun(token), endOnHost(token)]))
    },
  }
}

/** What begins a command that has to be ended. */
const begins: ReadonlySet<string> = new Set<MethodName>(['beginRun', 'beginImageRun', 'beginOnHost'])

function speaking({ say }: EngineContext, work: () => Promise<unknown>): Promise<unknown> {
  if (!say) return work()
  const { stdin } = caller()
  return onBehalfOf({ say, stdin, columns: undefined }, work)
}

/** JSON has no undefined: an argument that was left out comes as null. */
function orAbsent(arg: unknown): unknown {
  return arg ?? undefined
}

/** The options are the last argument of every verb; the client's own signal and listener could not cross. */
function withOwn(args: readonly unknown[], own: GlobalOptions & ProgressOptions): readonly unknown[] {
  const last = args.at(-1)
  const isOptions = typeof last === 'object' && last !== null && !Array.isArray(last)
  return isOptions ? [...args.slice(0, -1), { ...last, ...own }] : args
}

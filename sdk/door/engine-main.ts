import { serveEngine } from '../namespace/engine.js'
import { type MethodName, methods } from './methods.js'
import { type EngineCall, surround } from './surroundings.js'

/**
 * The engine's own process. Calls from the same surroundings run side by side; one from other surroundings (another
 * working folder, another SOURCE_DATE_EPOCH) waits until those are done, for a process has one of each only.
 */
let current = ''
let calls = 0
let idle: () => void = () => {}

serveEngine(async (method, args, { signal }) => {
  const call = args as EngineCall
  await enter(call)
  try {
    const run = (await methods[method as MethodName]()) as (...args: readonly unknown[]) => Promise<unknown>
    return await run(...withSignal(call.args.map(orAbsent), signal))
  } finally {
    if (--calls === 0) idle()
  }
}, endRuns)

/** The commands of a script that is gone would go on in its containers. */
async function endRuns(): Promise<void> {
  const { endAllRuns } = await import('../verbs/begin-run.js')
  await endAllRuns()
}

async function enter({ surroundings }: EngineCall): Promise<void> {
  const wanted = JSON.stringify(surroundings)
  while (calls > 0 && current !== wanted) {
    await new Promise<void>((resolve) => {
      const before = idle
      idle = () => {
        before()
        resolve()
      }
    })
  }
  calls++
  if (current === wanted) return
  current = wanted
  surround(surroundings)
}

/** JSON has no undefined: an argument that was left out comes as null. */
function orAbsent(arg: unknown): unknown {
  return arg ?? undefined
}

/** The options are the last argument of every verb; the client's own signal could not cross. */
function withSignal(args: readonly unknown[], signal: AbortSignal): readonly unknown[] {
  const last = args.at(-1)
  const isOptions = typeof last === 'object' && last !== null && !Array.isArray(last)
  return isOptions ? [...args.slice(0, -1), { ...last, signal }] : args
}

import { join } from 'node:path'
import { dnfArguments } from './dnf-arguments.js'
import { newestMetadata } from './dnf-cache.js'
import type { DnfPlaces } from './dnf-config.js'
import { type DnfEvent, parseDnfEvent } from './dnf-event.js'
import type { DnfOutcome } from './dnf-outcome.js'
import type { DnfRun } from './dnf-work.js'
import { makeMountpoints } from './root-mountpoints.js'
import { runOnRoot } from './root-process.js'

/**
 * Runs dnf on a root that {@link prepareDnf} was called for, and gives how it ended; `epoch` is the time that what it installed
 * counts as, where that is known. Throws `UNSUPPORTED`, `UNSAFE`, `ABORTED`, `SYSTEM`.
 */
export async function executeDnf(run: DnfRun, places: DnfPlaces): Promise<DnfOutcome & { readonly epoch?: number }> {
  const { work, program } = run
  const release = makeMountpoints(places.root)
  try {
    const lines = dnfArguments(program.kind, work.request, work, places)
    if (program.kind === 'dnf4') return { ...(await inTurn(run, places, lines, work.epoch)), ...epochIs(work.epoch) }
    // These tell nothing on their way: the time that their repositories were last changed stands for that of the packages.
    const asking = { ...work.request, command: ['makecache'], words: [], does: 'changes' as const }
    const asked = await inTurn(
      run,
      places,
      dnfArguments(program.kind, asking, { ...work, enableModules: [] }, places),
      0,
    )
    if (asked.exitCode !== 0) return asked
    const epoch = work.epoch ?? newestMetadata(places.cache)
    return { ...(await inTurn(run, places, lines, epoch)), ...epochIs(epoch) }
  } finally {
    release()
  }
}

function epochIs(epoch: number | undefined): { readonly epoch?: number } {
  return epoch === undefined ? {} : { epoch }
}

/** Command lines, one after the other until one fails. */
async function inTurn(
  { work, program, state }: DnfRun,
  places: DnfPlaces,
  lines: readonly (readonly string[])[],
  epoch: number | undefined,
): Promise<DnfOutcome> {
  const { offline, signal, onEvent } = work
  const home = { HOME: join(state, 'home'), LANG: 'C.UTF-8', TZ: 'UTC' }
  const env = { ...home, ...work.proxies, ...(epoch === undefined ? {} : { SOURCE_DATE_EPOCH: `${epoch}` }) }
  const events: DnfEvent[] = []
  const onLine = (line: string) => {
    const event = parseDnfEvent(line)
    if (!event) return
    if (event.event !== 'bytes' && event.event !== 'step') events.push(event)
    onEvent(event)
  }
  let outcome: DnfOutcome = { argv: [], exitCode: 0, stdout: '', stderr: '', events }
  for (const words of lines) {
    const argv = [program.path, ...words]
    // dnf syncs its history four times for every package.
    const memory = join(state, 'history')
    const process = {
      argv,
      env,
      root: places.root,
      cwd: state,
      memory,
      network: !offline,
      onLine,
      ...(signal ? { signal } : {}),
    }
    outcome = { argv, ...(await runOnRoot(process)), events }
    if (outcome.exitCode !== 0) break
  }
  return outcome
}

import { RunError } from '../errors.js'
import { isGitAddress } from '../transport/git-address.js'
import type { FileOutcome } from './evaluate.js'
import type { PlaceOutcome } from './evaluate-place.js'
import type { RunOutcome } from './evaluate-run.js'
import { rememberingFailure } from './failed-step.js'
import type { BuildJob, ContextFiles } from './job.js'
import { containerOf, type Origin, type Origins } from './origins.js'
import { isRemote, needsContext } from './place-text.js'
import type { StagePlan } from './plan-stage.js'
import { placeOf, pointAt } from './point-at.js'
import type { Instruction } from './syntax.js'
import type { Bench, PlaceWork, RunWork, WorkRoot } from './workshop.js'

/** An instruction and all that is needed to do what it says. */
export interface Work {
  readonly job: BuildJob
  readonly plan: StagePlan
  readonly origins: Origins
  readonly bench: Bench
  readonly instruction: Instruction
  /** The step's id in the events. */
  readonly id: string
}

/** Does what an instruction says in the stage's container. Throws `RunError` for a command that fails, and what copying throws. */
export async function carryOut(work: Work, outcome: FileOutcome): Promise<void> {
  const { bench, job } = work
  if (outcome.kind === 'run') return run(work, outcome)
  await rememberingFailure({ bench }, async () => {
    if (outcome.kind === 'workdir') await bench.makeFolder(outcome.path, job.signal)
    else await bench.place(await placeWork(work, outcome), job.signal)
  })
}

async function run(work: Work, outcome: RunOutcome): Promise<void> {
  const { bench, job, id } = work
  const tails = { stdout: new Tail(), stderr: new Tail() }
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  const onOutput = (stream: 'stdout' | 'stderr', chunk: Uint8Array) => {
    tails[stream].add(chunk)
    const text = decoders[stream].decode(chunk, { stream: true })
    job.tell({ type: 'step-output', time: Date.now(), step: id, stream, text })
  }
  const { argv, args, proxies, mounts, network, security, script, device } = outcome
  const given: RunWork = {
    argv,
    env: [...args, ...proxies],
    mounts,
    roots: await rootsOf(work.origins),
    device,
    onOutput,
    ...(needsContext(mounts) ? { context: (await job.context()).path } : {}),
    ...(network === undefined ? {} : { network }),
    ...(security === undefined ? {} : { security }),
    ...(script ? { script } : {}),
  }
  await rememberingFailure({ bench, run: given }, async () => {
    const exitCode = await bench.run(given, job.signal)
    if (exitCode !== 0) throw failed(work, outcome, exitCode, tails)
  })
}

async function rootsOf(origins: Origins): Promise<ReadonlyMap<string, WorkRoot>> {
  const roots = [...origins].map(async ([name, origin]) => [name, await rootOf(origin)] as const)
  return new Map(await Promise.all(roots))
}

async function rootOf(origin: Origin): Promise<WorkRoot> {
  if (origin.kind === 'files') return { kind: 'folder', path: origin.path }
  return { kind: origin.kind === 'stage' ? 'container' : 'image', id: await containerOf(origin) }
}

async function placeWork({ job, origins }: Work, outcome: PlaceOutcome): Promise<PlaceWork> {
  const { kind: _, from, ...rest } = outcome
  const origin = from === undefined ? undefined : origins.get(from)
  if (origin && origin.kind !== 'files') return { ...rest, from: await containerOf(origin) }
  if (!origin && outcome.sources.every(isRemote)) return { ...rest, ...(await pin(job, outcome)) }
  return { ...rest, ...withContext(origin ?? (await job.context())) }
}

/** The commit that is fetched is the one that the cache was asked for. */
async function pin({ commits, signal }: BuildJob, { sources, checksum }: PlaceOutcome): Promise<{ checksum?: string }> {
  const [source, ...others] = sources
  if (source === undefined || others.length > 0 || !isGitAddress(source)) return {}
  return { checksum: await commits.of(source, checksum, signal) }
}

function withContext({ path, ignore }: ContextFiles) {
  return { context: path, ...(ignore === undefined ? {} : { ignorefile: ignore.path }) }
}

function failed(
  { instruction }: Work,
  { argv }: RunOutcome,
  exitCode: number,
  tails: { readonly stdout: Tail; readonly stderr: Tail },
): RunError {
  const { position } = instruction
  return new RunError({
    operation: 'build',
    object: placeOf(position),
    reason: `the command ended with exit code ${exitCode}\n${pointAt(position)}`,
    argv,
    exitCode,
    stdout: tails.stdout.text(),
    stderr: tails.stderr.text(),
  })
}

/** The end of what a command prints. */
class Tail {
  #chunks: Uint8Array[] = []
  #size = 0

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    while (this.#size - (this.#chunks[0]?.length ?? 0) >= kept) this.#size -= this.#chunks.shift()?.length ?? 0
  }

  text(): string {
    return Buffer.concat(this.#chunks).subarray(-kept).toString()
  }
}

const kept = 16 * 1024

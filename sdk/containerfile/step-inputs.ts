import type { Digest } from '../image/digest.js'
import { parseMode } from '../layer/chmod.js'
import { ignoreRules } from '../layer/ignore.js'
import { leftOut, withoutIgnored } from '../layer/left-out.js'
import { findSources } from '../layer/sources.js'
import { contentDigest } from '../steps/content.js'
import { stateDigest } from '../steps/key.js'
import type { Step, StepInput } from '../steps/step.js'
import { isGitAddress } from '../transport/git-address.js'
import type { FileOutcome } from './evaluate.js'
import type { PlaceOutcome } from './evaluate-place.js'
import type { RunOutcome } from './evaluate-run.js'
import type { BuildJob, ContextFiles } from './job.js'
import { containerOf, type Made, type Origins } from './origins.js'
import { fromOf, isBind, isRemote, placeText } from './place-text.js'
import { envOf } from './situation.js'
import type { BuildState } from './state.js'

/** A step as the cache knows it, and what the image's history says of it. */
export interface DescribedStep {
  readonly step: Step
  readonly by: string
  /** False for what can have another result each time: what is fetched, and has no checksum. */
  readonly isKept: boolean
}

/** Gathers all that decides what an instruction makes. Throws what finding its sources throws. */
export async function describeStep(
  job: BuildJob,
  state: BuildState,
  outcome: FileOutcome,
  origins: Origins,
): Promise<DescribedStep> {
  const parent = stateDigest(state)
  const epoch: Record<string, StepInput> = job.epoch === undefined ? {} : { epoch: job.epoch }
  switch (outcome.kind) {
    case 'workdir': {
      const inputs = { ...epoch, path: outcome.path, user: state.config.config?.User ?? '' }
      return { step: { verb: 'workdir', parent, inputs }, by: outcome.by, isKept: true }
    }
    case 'run': {
      const inputs = { ...epoch, ...(await runInputs(job, state, outcome, origins)) }
      return { step: { verb: 'run', parent, inputs }, by: outcome.by, isKept: true }
    }
    case 'place': {
      const { verb, destination, checksum } = outcome
      const sources = await sourcesInput(job, outcome, origins)
      const inputs = { ...epoch, ...placeInputs(outcome), sources }
      const names = [...outcome.files.map(({ name }) => name), ...outcome.sources]
      const by = placeText(verb === 'copy' ? 'COPY' : 'ADD', names, destination)
      const isPinned = checksum !== undefined || outcome.sources.every((one) => !isRemote(one) || isGitAddress(one))
      return { step: { verb, parent, inputs }, by, isKept: isPinned }
    }
  }
}

/**
 * The step of a copy from a stage or an image by what it copies: the same where a stage was made anew, and has made the same
 * files. Undefined for all else, and for what cannot be read, which the copy itself will tell.
 */
export async function describeContent(
  job: BuildJob,
  { step, isKept }: DescribedStep,
  outcome: FileOutcome,
  origins: Origins,
): Promise<Step | undefined> {
  const origin =
    isKept && outcome.kind === 'place' && outcome.from !== undefined ? origins.get(outcome.from) : undefined
  if (outcome.kind !== 'place' || !origin || origin.kind === 'files') return undefined
  try {
    await using root = await job.workshop.root(await containerOf(origin), job.signal)
    const owners = outcome.chown === undefined ? 'kept' : 'given'
    return { ...step, inputs: { ...step.inputs, sources: await filesDigest(job, outcome, root, owners) } }
  } catch {
    job.signal.throwIfAborted()
    return undefined
  }
}

async function runInputs(
  job: BuildJob,
  state: BuildState,
  outcome: RunOutcome,
  origins: Origins,
): Promise<Record<string, StepInput>> {
  const { argv, args, network, security, script, device } = outcome
  const { User = '', WorkingDir = '/' } = state.config.config ?? {}
  const mounts = await Promise.all(outcome.mounts.map((mount) => mountInput(job, mount, origins)))
  return {
    command: argv,
    env: [...envOf(state.config), ...args],
    user: User,
    workingdir: WorkingDir,
    ...(mounts.length > 0 ? { mounts } : {}),
    ...(device.length > 0 ? { device } : {}),
    ...(network === undefined ? {} : { network }),
    ...(security === undefined ? {} : { security }),
    ...(script ? { script: script.content } : {}),
    ...job.runInputs,
  }
}

/** A mount's text, with the digest of what it shows in place of names. */
async function mountInput(job: BuildJob, mount: string, origins: Origins): Promise<StepInput> {
  if (!isBind(mount)) return mount
  const name = fromOf(mount)
  const origin = name === undefined ? undefined : origins.get(name)
  if (origin && origin.kind !== 'files') return [mount, originDigest(origin)]
  const field = mount.split(',').find((part) => /^\s*(?:source|src)\s*=/i.test(part))
  const source = field?.slice(field.indexOf('=') + 1) ?? '/'
  const { path } = origin ?? (await job.context())
  const found = findSources([source], path, 'build')
  const { digest } = await contentDigest(job.store, found, { owners: 'kept', signal: job.signal })
  return [mount, digest]
}

function placeInputs(outcome: PlaceOutcome): Record<string, StepInput> {
  const { destination, chown, chmod, link, parents, exclude, checksum, keepGitDir, unpack } = outcome
  const given = { destination, chown, chmod, link, parents, exclude, checksum, keepGitDir, unpack }
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known) as Record<string, StepInput>
}

/** Of a stage or an image the state and the names decide, so that nothing has to be read; of files their content. */
async function sourcesInput(job: BuildJob, outcome: PlaceOutcome, origins: Origins): Promise<StepInput> {
  const { files, from } = outcome
  const texts = files.map(({ name, content }) => [name, content])
  const origin = from === undefined ? undefined : origins.get(from)
  if (origin && origin.kind !== 'files') return [originDigest(origin), ...outcome.sources]
  const local = outcome.sources.filter((source) => !isRemote(source))
  const remote = await Promise.all(outcome.sources.filter(isRemote).map((one) => remoteInput(job, one, outcome)))
  if (local.length === 0) return [...texts, ...remote]
  const digest = await filesDigest(job, outcome, origin ?? (await job.context()), 'given')
  return texts.length + remote.length === 0 ? digest : [digest, ...texts, ...remote]
}

async function filesDigest(
  job: BuildJob,
  { sources, verb, chmod, parents, exclude }: PlaceOutcome,
  { path, ignore }: ContextFiles,
  owners: 'given' | 'kept',
): Promise<Digest> {
  const local = sources.filter((source) => !isRemote(source))
  const found = withoutIgnored(findSources(local, path, verb), local, ignore?.rules, verb)
  const own = exclude && exclude.length > 0 ? ignoreRules(exclude) : undefined
  const { digest } = await contentDigest(job.store, found, {
    owners,
    ...leftOut(ignore?.rules, own),
    ...(chmod === undefined ? {} : { mode: parseMode(chmod) }),
    ...(parents ? { parents } : {}),
    signal: job.signal,
  })
  return digest
}

/** Of a repository the commit decides, which is asked for. */
async function remoteInput(
  { signal, commits }: BuildJob,
  source: string,
  { checksum }: PlaceOutcome,
): Promise<StepInput> {
  if (!isGitAddress(source)) return source
  return [source, await commits.of(source, checksum, signal)]
}

function originDigest(origin: Made): string {
  return stateDigest(origin.kind === 'stage' ? origin.end.state : origin.state)
}

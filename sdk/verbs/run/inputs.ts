import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Digest } from '../../image/digest.js'
import { resolveInRoot } from '../../namespace/rooted-path.js'
import { parseEnv } from '../../runtime/environment.js'
import { parseVolume } from '../../runtime/volume.js'
import { contentDigest } from '../../steps/content.js'
import type { Step, StepInput } from '../../steps/step.js'
import type { ContainerRecord } from '../../store/containers.js'
import type { Store } from '../../store/store.js'
import { irrelevant, originOf } from '../step/place.js'
import type { RunOptions } from './options.js'

/** Options of a run with what its standard input is. */
export interface StepRunOptions extends RunOptions {
  /** `empty`, the digest of what it brings, or `unknown` (the default), which is executed every time. */
  readonly standardInput?: 'empty' | 'unknown' | Digest
}

/** Why a run is executed every time; undefined when what it does follows from what is known of it. */
export function unkeptRun(
  { defaults }: ContainerRecord,
  { terminal, standardInput = 'unknown', volume = [] }: StepRunOptions,
): string | undefined {
  if (terminal) return 'it has a terminal'
  if (standardInput === 'unknown') return 'its standard input may bring anything; </dev/null makes it empty'
  const writable = [...(defaults.volume ?? []), ...volume].find((text) => !parseVolume(text).readonly)
  return writable && `it can write to a folder of this machine: ${writable}; end it in :ro when it only reads`
}

/**
 * What decides the result of a run beside the files of its container. Caches, secrets and ssh agents count by their names
 * only, folders that it reads by their content. Undefined when a container that it reads is being changed.
 */
export async function runInputs(
  store: Store,
  record: ContainerRecord,
  command: readonly string[],
  options: StepRunOptions,
): Promise<Step['inputs'] | undefined> {
  const { config = {} } = record.config
  const { volume: volumes = [], isolation: _, ...defaults } = record.defaults
  const mounts: StepInput[] = []
  for (const text of [...volumes, ...(options.volume ?? [])]) mounts.push(await volumeInput(store, text, options))
  for (const text of options.mount ?? []) {
    const input = await mountInput(store, text, options)
    if (input === undefined) return undefined
    mounts.push(input)
  }
  const { standardInput } = options
  return {
    ...given(options),
    command,
    env: environment(config.Env ?? [], [...(options.env ?? []), ...(options.buildArg ?? [])]),
    user: options.user ?? config.User ?? '',
    workingdir: options.workingdir ?? config.WorkingDir ?? '/',
    ...(mounts.length > 0 ? { mounts } : {}),
    ...(Object.keys(defaults).length > 0 ? { defaults: given(defaults) } : {}),
    ...(standardInput === undefined || standardInput === 'empty' ? {} : { standardInput }),
  }
}

function given(options: object): Record<string, StepInput> {
  const pairs = Object.entries(options as Record<string, StepInput | undefined>)
  const isGiven = ([name, value]: [string, StepInput | undefined]) =>
    value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0) && !told.has(name)
  return Object.fromEntries(pairs.filter(isGiven)) as Record<string, StepInput>
}

/** Options that are said in another way, or change nothing in the result. */
const told: ReadonlySet<string> = new Set([
  ...irrelevant,
  'allow',
  'buildArg',
  'env',
  'isolation',
  'mount',
  'runtime',
  'runtimeFlag',
  'secret',
  'ssh',
  'standardInput',
  'user',
  'validExitCodes',
  'volume',
  'workingdir',
])

function environment(image: readonly string[], run: readonly string[]): Record<string, string> {
  return { ...parseEnv(image, {}), ...parseEnv(run) }
}

async function volumeInput(store: Store, text: string, options: RunOptions): Promise<StepInput> {
  const { source, ...rest } = parseVolume(text)
  return { ...(rest as Record<string, StepInput>), content: await contentOf(store, source, options) }
}

async function mountInput(store: Store, text: string, options: RunOptions): Promise<StepInput | undefined> {
  const fields = fieldsOf(text)
  if ((fields.get('type') ?? 'bind') !== 'bind') return text
  const source = fields.get('source') ?? fields.get('src')
  for (const name of ['source', 'src']) fields.delete(name)
  const from = fields.get('from')
  if (from !== undefined) {
    const origin = await originOf(store, from)
    return origin === undefined ? undefined : { ...Object.fromEntries(fields), from: origin, source: source ?? '/' }
  }
  const content = source === undefined ? null : await contentOf(store, sourceOnHost(source, options), options)
  return { ...Object.fromEntries(fields), content }
}

function fieldsOf(text: string): Map<string, string> {
  const pairs = text.split(',').map((field): [string, string] => {
    const equals = field.indexOf('=')
    return equals < 0 ? [field, ''] : [field.slice(0, equals), field.slice(equals + 1)]
  })
  return new Map(pairs)
}

/** As the mount itself finds it. */
function sourceOnHost(source: string, { contextdir }: RunOptions): string {
  if (contextdir === undefined) return resolve(source)
  return resolveInRoot(realpathSync(contextdir), source)
}

/** What is not there is for the run to complain of. */
async function contentOf(store: Store, path: string, { signal }: RunOptions): Promise<StepInput> {
  const info = statSync(path, { throwIfNoEntry: false })
  if (!info) return null
  const source = { path: realpathSync(path), name: '', isDirectory: info.isDirectory(), fromTop: '' }
  return (await contentDigest(store, [source], { owners: 'kept', ...(signal ? { signal } : {}) })).digest
}

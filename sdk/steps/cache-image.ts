import { canonicalJson, type ImageConfig, parseConfig } from '../image/config.js'
import { type Digest, isDigest } from '../image/digest.js'
import { hostPlatform } from '../image/platform.js'
import { broken } from '../transport/verify.js'
import { stepVersion } from './key.js'
import type { StepResult } from './step.js'

/** Steps by their keys. */
export type StepResults = ReadonlyMap<Digest, StepResult>

/**
 * The configuration of an image that carries steps: their layers are its layers, and `builder.steps` tells what each step made.
 * What a step was, its command and its variables, is not in it: only the key, from which nothing of that can be read.
 */
export function cacheConfig(steps: StepResults): Buffer {
  const { os, architecture } = hostPlatform()
  const diffIDs = layersOf(steps).map(({ diffID }) => diffID)
  const entries = [...steps].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, result]) => ({ key, ...result }))
  const config: ImageConfig & Record<typeof field, unknown> = {
    os,
    architecture,
    config: {},
    rootfs: { type: 'layers', diff_ids: diffIDs },
    history: diffIDs.map(() => ({ created_by: 'builder: a cached step' })),
    [field]: { version: stepVersion, entries },
  }
  return Buffer.from(canonicalJson(config))
}

const field = 'builder.steps'

/** The layers of steps, each once. */
export function layersOf(steps: StepResults): readonly NonNullable<StepResult['layer']>[] {
  const layers = [...steps.values()].flatMap(({ layer }) => layer ?? [])
  const byDigest = new Map(layers.map((layer) => [layer.diffID, layer]))
  return [...byDigest.values()].sort((a, b) => (a.diffID < b.diffID ? -1 : 1))
}

/**
 * The steps that an image carries; none of another version of builder. A step whose layer is not among the image's is left out.
 * Throws `INVALID` for an image that carries no steps, or damaged ones.
 */
export function parseCacheConfig(bytes: Uint8Array, name: string): StepResults {
  const config = parseConfig(bytes, name) as ImageConfig & { readonly [field]?: unknown }
  const kept = config[field] as { readonly version?: unknown; readonly entries?: unknown } | undefined
  if (typeof kept !== 'object' || kept === null || !Array.isArray(kept.entries))
    throw broken(name, 'it is no cache: it carries no steps', 'name one that was written with --cache-to')
  if (kept.version !== stepVersion) return new Map()
  const there = new Set(config.rootfs.diff_ids)
  const entries = kept.entries.map((entry) => entryOf(entry, name))
  return new Map(entries.filter(([, { layer }]) => layer === undefined || there.has(layer.diffID)))
}

/** Only what is known is taken over. */
function entryOf(entry: unknown, name: string): [Digest, StepResult] {
  const { key, layer, output, milliseconds, created } = (entry ?? {}) as Partial<StepResult> & {
    readonly key?: unknown
  }
  const fits =
    isDigest(key) &&
    (layer === undefined || (isDigest(layer?.diffID) && isCount(layer.size))) &&
    (output === undefined || isOutput(output)) &&
    (milliseconds === undefined || isCount(milliseconds)) &&
    (created === undefined || (typeof created === 'string' && Number.isFinite(Date.parse(created))))
  if (!fits) throw broken(name, 'one of the steps that it carries is damaged')
  return [
    key,
    {
      ...(layer ? { layer: { diffID: layer.diffID, size: layer.size } } : {}),
      ...(output ? { output: { stdout: output.stdout, stderr: output.stderr, exitCode: output.exitCode } } : {}),
      ...(milliseconds === undefined ? {} : { milliseconds }),
      ...(created === undefined ? {} : { created }),
    },
  ]
}

function isOutput(output: Partial<NonNullable<StepResult['output']>> | null): boolean {
  const { stdout, stderr, exitCode } = output ?? {}
  return typeof stdout === 'string' && typeof stderr === 'string' && isCount(exitCode) && exitCode < 256
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

import { BuilderError } from '../errors.js'
import { type Digest, isDigest } from './digest.js'
import type { Platform } from './platform.js'

/**
 * The execution parameters of an image. Field names as OCI image-spec config.md, `config`, spells them;
 * Healthcheck, OnBuild and Shell are Docker's (moby image-spec v1.2), kept because the field reads them.
 */
export interface ExecutionConfig {
  readonly User?: string
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly StopSignal?: string
  readonly ArgsEscaped?: boolean
  readonly Healthcheck?: Healthcheck
  readonly OnBuild?: readonly string[]
  readonly Shell?: readonly string[]
}

/** Durations are nanoseconds, as in Docker's image config. */
export interface Healthcheck {
  readonly Test?: readonly string[]
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  readonly StartInterval?: number
  readonly Retries?: number
}

/** One step of an image's history. Source: OCI image-spec, config.md, `history`. Times are RFC 3339. */
export interface History {
  readonly created?: string
  readonly author?: string
  readonly created_by?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

/** An image's configuration. Source: OCI image-spec, config.md. */
export interface ImageConfig extends Platform {
  readonly created?: string
  readonly author?: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
  readonly config?: ExecutionConfig
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] }
  readonly history?: readonly History[]
}

/** The configuration of an image with nothing in it. */
export function emptyConfig(platform: Platform): ImageConfig {
  return { ...platform, config: {}, rootfs: { type: 'layers', diff_ids: [] }, history: [] }
}

/** Reads a configuration blob. Throws `INVALID`. Unknown fields are kept. */
export function parseConfig(bytes: Uint8Array, where: string): ImageConfig {
  const value = parseJson(bytes, where) as Partial<ImageConfig> | null
  const fault = faultOf(value)
  if (fault === undefined) return value as ImageConfig
  throw new BuilderError('INVALID', { operation: 'read image config', object: where, reason: fault })
}

/** JSON from outside. Throws `INVALID`. */
export function parseJson(bytes: Uint8Array | string, where: string): unknown {
  try {
    return JSON.parse(typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new BuilderError('INVALID', { operation: 'read JSON', object: where, reason: 'it is not valid JSON', cause })
  }
}

/**
 * The bytes of a JSON document as builder writes it: fields in a fixed order, empty ones left out, no white space,
 * so that equal values have equal digests.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(ordered(value))
}

function faultOf(it: Partial<ImageConfig> | null): string | undefined {
  if (typeof it !== 'object' || it === null) return 'it is not a JSON object'
  if (typeof it.os !== 'string' || typeof it.architecture !== 'string') return 'os or architecture is missing'
  if (it.rootfs?.type !== 'layers' || !Array.isArray(it.rootfs.diff_ids)) return 'rootfs.diff_ids is missing'
  if (!it.rootfs.diff_ids.every(isDigest)) return 'rootfs.diff_ids holds something that is not a sha256 digest'
  if (it.history !== undefined && it.history !== null && !Array.isArray(it.history)) return 'history is not a list'
  return undefined
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, v]) => v !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(entries.map(([k, v]) => [k, ordered(v)]))
}

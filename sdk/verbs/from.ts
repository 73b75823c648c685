import { BuilderError } from '../errors.js'
import { emptyConfig } from '../image/config.js'
import { hostPlatform, type Platform, parsePlatform } from '../image/platform.js'
import { capabilitiesFor } from '../runtime/capabilities.js'
import { parseSecurityOptions } from '../runtime/security-option.js'
import { parseVolume } from '../runtime/volume.js'
import {
  type ContainerDefaults,
  type ContainerRecord,
  type ContainerSteps,
  createContainer,
  type NewContainer,
} from '../store/containers.js'
import { findImage, type Image } from '../store/images.js'
import { withLock } from '../store/locks.js'
import { openStore, type Store } from '../store/store.js'
import type { RegistryOptions } from '../transport/registry/access.js'
import type { GlobalOptions } from './global.js'
import type { ProgressOptions } from './progress/progress.js'
import { writeResult } from './result-file.js'
import type { PulledImage } from './transfer/pull-fetch.js'
import { type PullImageOptions, pullImage } from './transfer/pull-image.js'

/** Options of {@link from}. */
export interface FromOptions extends GlobalOptions, RegistryOptions, ProgressOptions {
  /**
   * Name of the container; made from the image's name when absent.
   * @placeholder NAME
   */
  name?: string
  /**
   * When to ask a registry for the image, as `pull --policy`; alone it means newer, and absent missing.
   */
  pull?: boolean | 'always' | 'missing' | 'never' | 'newer'
  /**
   * Write the container's ID to a file.
   * @placeholder FILE
   */
  cidfile?: string
  /**
   * Form of the images committed from the container.
   * @short f
   */
  format?: 'oci' | 'docker'
  /**
   * Platform of the image, as os/arch[/variant].
   * @placeholder PLATFORM
   */
  platform?: string
  /**
   * Architecture of the image.
   * @placeholder ARCH
   */
  arch?: string
  /**
   * Operating system of the image.
   * @placeholder OS
   */
  os?: string
  /**
   * Variant of the image's architecture.
   * @placeholder VARIANT
   */
  variant?: string
  /** Isolation of later runs: an OCI runtime (crun, runc), or chroot. */
  isolation?: 'oci' | 'rootless' | 'chroot'
  /** Network of later runs. */
  network?: 'host' | 'none' | 'private'
  /**
   * Capability that later runs get beside the default ones.
   * @placeholder CAP
   */
  capAdd?: readonly string[]
  /**
   * Capability that later runs do not get.
   * @placeholder CAP
   */
  capDrop?: readonly string[]
  /**
   * Device of the host that later runs see.
   * @placeholder DEVICE
   */
  device?: readonly string[]
  /**
   * Security option of later runs: seccomp=unconfined, seccomp=FILE, no-new-privileges.
   * @placeholder OPTION
   */
  securityOpt?: readonly string[]
  /**
   * Folder of the host that later runs see, as HOST:CONTAINER[:ro].
   * @short v
   * @placeholder HOST:CONTAINER[:OPTIONS]
   */
  volume?: readonly string[]
  /** Take what was executed before from the step cache: each verb adds a layer, and runs again only when something changed. */
  layers?: boolean
  /** With --layers: execute everything, and keep it for the next time. @negatable */
  cache?: boolean
  /** With --layers: say of each verb whether it was executed, and why. Same as BUILDER_EXPLAIN=1. */
  explain?: boolean
  /**
   * With --layers: the image's history tells every verb, also those that change no file, as a build from a Containerfile tells
   * its lines.
   */
  history?: boolean
}

/** A working container. */
export interface FromResult {
  /** 64 hexadecimal digits. */
  readonly id: string
  readonly name: string
}

/**
 * Creates a working container from an image.
 *
 * The image is `scratch` (nothing at all), the ID of an image in the store, a name, or transport:path. A name that the store
 * does not have is pulled from its registry; see `pull` for names, transports and policies.
 *
 * Throws `NOT_FOUND` for an unknown image, `EXISTS` for a name that is taken, and what `pull` throws.
 *
 * @verb
 * @where inside
 * @stdout The container's name.
 * @param image - `scratch`, an image's name or ID, or transport:path.
 * @example
 * ```sh
 * c=$(builder from scratch)
 * ```
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch', { name: 'web-build' })
 * await c.remove()
 * ```
 */
export async function from(image: string, options: FromOptions = {}): Promise<FromResult> {
  checkDefaults(options)
  const store = await openStore(options)
  const pulled = image === 'scratch' ? undefined : await pullImage(store, image, pullOptions(options))
  const sharing = { shared: true, purpose: 'from', ...(options.signal ? { signal: options.signal } : {}) }
  const container = await withLock(store, 'store', () => create(store, image, pulled, options), sharing)
  if (options.cidfile) await writeResult(options.cidfile, container.id)
  return { id: container.id, name: container.name }
}

/** What the shell door prints. */
export function present(result: FromResult): string {
  return result.name
}

/** `--pull` alone asks for what has changed, as buildah's does; `--pull=false` is the default. */
function pullOptions(options: FromOptions): PullImageOptions {
  const { pull = false, platform: _text, ...rest } = options
  const policy = pull === true ? 'newer' : pull === false ? 'missing' : pull
  const platform = wantedPlatform(options)
  return { ...rest, operation: 'from', policy, ...(platform ? { platform } : {}) }
}

async function create(
  store: Store,
  name: string,
  pulled: PulledImage | undefined,
  options: FromOptions,
): Promise<ContainerRecord> {
  options.signal?.throwIfAborted()
  const found = pulled ? fromImage(await findImage(store, pulled.digest, 'from'), pulled) : fromNothing(options)
  const fields = options.history ? withoutTriggers(found, name) : found
  return createContainer(store, {
    ...fields,
    ...(options.name === undefined ? {} : { name: options.name }),
    format: options.format ?? fields.format ?? 'oci',
    defaults: defaultsOf(options),
    ...(options.layers ? { steps: stepsOf(options) } : {}),
  })
}

/** A build carries ONBUILD out and leaves it behind. A recipe that has done so for a stage of its own names that by its ID. */
function withoutTriggers(fields: NewContainer, name: string): NewContainer {
  const { OnBuild = [], ...config } = fields.config.config ?? {}
  if (OnBuild.length > 0 && !/^[0-9a-f]{64}$/.test(name))
    throw new BuilderError('UNSUPPORTED', {
      operation: 'from --history',
      object: name,
      reason: `the image has what a build carries out first: ONBUILD ${OnBuild[0]}`,
      hint: 'build the Containerfile with builder build, or leave --history out',
    })
  return { ...fields, config: { ...fields.config, config } }
}

function stepsOf({ cache = true, explain = false, history = false }: FromOptions): ContainerSteps {
  return { ...(cache ? {} : { fresh: true }), ...(explain ? { explain } : {}), ...(history ? { history } : {}) }
}

function wantedPlatform({ platform, arch, os, variant }: FromOptions): Platform | undefined {
  if (platform) return parsePlatform(platform)
  if (!arch && !os && !variant) return undefined
  const host = hostPlatform()
  return { os: os ?? host.os, architecture: arch ?? host.architecture, ...(variant ? { variant } : {}) }
}

function fromNothing(options: FromOptions): NewContainer {
  const { os, architecture, variant } = wantedPlatform(options) ?? hostPlatform()
  const platform = architecture === 'arm' && variant ? { os, architecture, variant } : { os, architecture }
  return {
    layers: [],
    layerDescriptors: [],
    config: emptyConfig(platform),
    annotations: {},
    format: 'oci',
    defaults: {},
  }
}

/** What a container is that begins with an image. */
export function fromImage(image: Image, pulled: PulledImage): NewContainer {
  const name = pulled.name ?? image.names[0] ?? image.id
  return {
    from: { name, id: image.id, manifestDigest: image.manifestDigest },
    layers: image.config.rootfs.diff_ids,
    layerDescriptors: image.manifest.layers,
    config: image.config,
    annotations: image.manifest.annotations ?? {},
    format: image.manifest.mediaType.includes('docker') ? 'docker' : 'oci',
    defaults: {},
  }
}

/** What only a run will use is wrong here already. */
function checkDefaults({ volume, capAdd, capDrop, securityOpt, platform }: FromOptions): void {
  for (const one of volume ?? []) parseVolume(one)
  const names = (list: readonly string[] | undefined) => (list ?? []).flatMap((text) => text.split(',').filter(Boolean))
  capabilitiesFor(0, names(capAdd), names(capDrop))
  parseSecurityOptions(securityOpt ?? [])
  if (platform !== undefined) parsePlatform(platform)
}

function defaultsOf(options: FromOptions): ContainerDefaults {
  const { isolation, network, capAdd, capDrop, device, securityOpt, volume } = options
  const given = { isolation, network, capAdd, capDrop, device, securityOpt, volume }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

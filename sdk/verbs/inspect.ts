import { BuilderError } from '../errors.js'
import { canonicalJson, type ImageConfig } from '../image/config.js'
import { renderTemplate } from '../image/go-template.js'
import { isRealRoot } from '../namespace/inside.js'
import type { RunLabel } from '../runlabel/list-labels.js'
import { type ContainerRecord, findContainer } from '../store/containers.js'
import { findImage, type Image } from '../store/images.js'
import { isMounted } from '../store/mounts.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { forTemplates } from './go-fields.js'

/** Options of {@link inspect}. */
export interface InspectOptions extends GlobalOptions {
  /**
   * Print only what a Go template says, as {{.OCIv1.Config.Cmd}}.
   * @short f
   * @placeholder TEMPLATE
   */
  format?: string
  /**
   * What the name is of; without it a container is looked for first, then an image.
   * @short t
   */
  type?: 'container' | 'image'
  /** List the labels that are commands, and what each asks of this machine; see `runlabel`. */
  runlabels?: boolean
}

/** Everything known of a container or an image; field names are buildah's. */
export interface Inspection {
  readonly Type: string
  readonly FromImage: string
  readonly FromImageID: string
  readonly FromImageDigest: string
  /** The image's config as JSON text; empty for a container from scratch. */
  readonly Config: string
  /** The image's manifest as JSON text. */
  readonly Manifest: string
  readonly Container: string
  readonly ContainerID: string
  readonly MountPoint: string
  readonly ImageAnnotations: Readonly<Record<string, string>>
  readonly ImageCreatedBy: string
  /** The configuration as the OCI image-spec has it, as it would be committed. */
  readonly OCIv1: ImageConfig
  /** The same as Docker has it. */
  readonly Docker: Readonly<Record<string, unknown>>
  readonly Isolation: string
  readonly AddCapabilities: readonly string[]
  readonly DropCapabilities: readonly string[]
  readonly History: NonNullable<ImageConfig['history']>
  readonly Devices: readonly string[]
  /** The labels that are commands; with `runlabels`. */
  readonly RunLabels?: readonly RunLabel[]
}

/**
 * Shows everything known of a container or an image.
 *
 * Throws `NOT_FOUND` when there is neither, `USAGE` for a template that cannot be read.
 *
 * @verb
 * @where outside
 * @offline
 * @stdout JSON, or what --format says; with --runlabels text.
 * @param name - Name or ID of a container or an image.
 * @example
 * ```sh
 * builder inspect --type image --format '{{.OCIv1.Config.Cmd}}' web
 * ```
 * @example
 * ```ts
 * import { inspect } from 'builder-sdk'
 * const { OCIv1 } = await inspect('web', { type: 'image' })
 * console.log(OCIv1.config?.Cmd)
 * ```
 */
export async function inspect(name: string, options: InspectOptions = {}): Promise<Inspection> {
  const store = await openStore(options)
  if (options.type !== 'image') {
    const record = await findContainer(store, name, 'inspect').catch(orAbsent)
    if (record) return withRunLabels(ofContainer(record), record.from?.name ?? record.name, options)
    if (options.type === 'container') await findContainer(store, name, 'inspect')
  }
  const image = await findImage(store, name, 'inspect').catch(neither(name, options))
  return withRunLabels(ofImage(image), image.names[0] ?? image.id, options)
}

/** What the shell door prints. */
export async function present(result: Inspection, options: InspectOptions): Promise<string> {
  if (result.RunLabels && options.format === undefined)
    return (await import('../runlabel/list-labels.js')).formatRunLabels(result.RunLabels)
  if (options.format !== undefined) return renderTemplate(options.format, forTemplates(result))
  return JSON.stringify(result, null, 4)
}

async function withRunLabels(found: Inspection, image: string, { runlabels }: InspectOptions): Promise<Inspection> {
  if (!runlabels) return found
  const { listRunLabels } = await import('../runlabel/list-labels.js')
  const values = { image, options: [], env: process.env, cwd: process.cwd(), home: process.env.HOME ?? '/' }
  return { ...found, RunLabels: listRunLabels(found.OCIv1.config?.Labels ?? {}, values, isRealRoot()) }
}

function ofContainer(record: ContainerRecord): Inspection {
  const { from, defaults } = record
  return {
    ...common({ ...record.config, created: record.config.created ?? record.created }, record.annotations),
    FromImage: from?.name ?? '',
    FromImageID: from?.id ?? '',
    FromImageDigest: from?.manifestDigest ?? '',
    Config: from ? canonicalJson(record.config) : '',
    Manifest: '',
    Container: record.name,
    ContainerID: record.id,
    MountPoint: isMounted(record) ? (record.mounted?.path ?? '') : '',
    ImageCreatedBy: record.next?.createdBy ?? '',
    Isolation: defaults.isolation ?? 'oci',
    AddCapabilities: defaults.capAdd ?? [],
    DropCapabilities: defaults.capDrop ?? [],
    Devices: defaults.device ?? [],
  }
}

function ofImage(image: Image): Inspection {
  return {
    ...common(image.config, image.manifest.annotations ?? {}),
    FromImage: image.names[0] ?? '',
    FromImageID: image.id,
    FromImageDigest: image.manifestDigest,
    Config: canonicalJson(image.config),
    Manifest: canonicalJson(image.manifest),
    Container: '',
    ContainerID: '',
    MountPoint: '',
    ImageCreatedBy: '',
    Isolation: 'oci',
    AddCapabilities: [],
    DropCapabilities: [],
    Devices: [],
  }
}

function common(config: ImageConfig, annotations: Readonly<Record<string, string>>) {
  const { history = [] } = config
  const docker = { ...config, container_config: config.config ?? {} }
  return { Type: 'builder 1', ImageAnnotations: annotations, OCIv1: config, Docker: docker, History: history }
}

function orAbsent(error: unknown): undefined {
  if (error instanceof BuilderError && error.code === 'NOT_FOUND') return undefined
  throw error
}

function neither(name: string, { type }: InspectOptions): (error: unknown) => never {
  return (error) => {
    if (type === 'image' || !(error instanceof BuilderError) || error.code !== 'NOT_FOUND') throw error
    const hint = error.hint ?? 'builder containers and builder images list them'
    throw new BuilderError('NOT_FOUND', {
      operation: 'inspect',
      object: name,
      reason: 'no container or image has this name',
      hint,
    })
  }
}

import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The rules of the OCI image-spec's JSON schemas (schema/*.json, v1.1) and what its text adds, as functions that give
 * the list of what is wrong: empty for a valid document. For tests.
 */
type Faults = string[]
type Json = Record<string, unknown>

/** schema/content-descriptor.json */
export function descriptorFaults(value: unknown, where = 'descriptor'): Faults {
  if (!isObject(value)) return [`${where} is not an object`]
  return [
    ...check(typeof value.mediaType === 'string' && mediaTypePattern.test(value.mediaType), `${where}.mediaType`),
    ...check(typeof value.digest === 'string' && digestPattern.test(value.digest), `${where}.digest`),
    ...check(Number.isSafeInteger(value.size) && (value.size as number) >= 0, `${where}.size`),
    ...check(
      optional(value.urls, (it) => isStrings(it) && it.every((url) => URL.canParse(url))),
      `${where}.urls`,
    ),
    ...check(
      optional(value.data, (it) => typeof it === 'string'),
      `${where}.data`,
    ),
    ...annotationFaults(value.annotations, where),
    ...(value.platform === undefined ? [] : platformFaults(value.platform, `${where}.platform`)),
  ]
}

/** schema/image-manifest-schema.json; Docker's media types are accepted with `docker: true`. */
export function manifestFaults(value: unknown, { docker = false } = {}): Faults {
  if (!isObject(value)) return ['manifest is not an object']
  const types = docker ? dockerTypes : ociTypes
  const layers = Array.isArray(value.layers) ? value.layers : []
  return [
    ...check(value.schemaVersion === 2, 'schemaVersion'),
    ...check(value.mediaType === types.manifest || (!docker && value.mediaType === undefined), 'mediaType'),
    ...check(layers.length > 0, 'layers'),
    ...descriptorFaults(value.config, 'config'),
    ...check(isObject(value.config) && value.config.mediaType === types.config, 'config.mediaType'),
    ...layers.flatMap((layer, i) => descriptorFaults(layer, `layers[${i}]`)),
    ...layers.flatMap((layer, i) => check(types.layer.test(String(layer?.mediaType)), `layers[${i}].mediaType`)),
    ...(value.subject === undefined ? [] : descriptorFaults(value.subject, 'subject')),
    ...annotationFaults(value.annotations, 'manifest'),
  ]
}

/** schema/image-index-schema.json */
export function indexFaults(value: unknown): Faults {
  if (!isObject(value)) return ['index is not an object']
  const manifests = Array.isArray(value.manifests) ? value.manifests : []
  return [
    ...check(value.schemaVersion === 2, 'schemaVersion'),
    ...check(value.mediaType === undefined || value.mediaType === ociTypes.index, 'mediaType'),
    ...check(Array.isArray(value.manifests), 'manifests'),
    ...manifests.flatMap((manifest, i) => descriptorFaults(manifest, `manifests[${i}]`)),
    ...annotationFaults(value.annotations, 'index'),
  ]
}

/** schema/config-schema.json and config.md; `layers` is how many the manifest has. */
export function configFaults(value: unknown, layers?: number): Faults {
  if (!isObject(value)) return ['config is not an object']
  const rootfs = isObject(value.rootfs) ? value.rootfs : {}
  const diffIDs = isStrings(rootfs.diff_ids) ? rootfs.diff_ids : []
  return [
    ...platformFaults(value, 'config'),
    ...check(optional(value.created, isTime), 'created'),
    ...check(optional(value.author, isString), 'author'),
    ...check(rootfs.type === 'layers', 'rootfs.type'),
    ...check(isStrings(rootfs.diff_ids) && diffIDs.every((id) => digestPattern.test(id)), 'rootfs.diff_ids'),
    ...check(layers === undefined || diffIDs.length === layers, `rootfs.diff_ids has ${diffIDs.length} of ${layers}`),
    ...(value.config === undefined ? [] : executionFaults(value.config)),
    ...historyFaults(value.history, layers),
  ]
}

/** schema/image-layout-schema.json, image-layout.md: every blob that index.json reaches, its digest and its size. */
export function layoutFaults(directory: string): Faults {
  const layout = read(join(directory, 'oci-layout'))
  const index = read(join(directory, 'index.json'))
  const entries = isObject(index) && Array.isArray(index.manifests) ? index.manifests : []
  return [
    ...check(isObject(layout) && layout.imageLayoutVersion === '1.0.0', 'imageLayoutVersion'),
    ...indexFaults(index),
    ...entries.flatMap((entry: Json) => contentFaults(directory, entry)),
  ]
}

/** annotations.md, `org.opencontainers.image.ref.name`. */
export function isRefName(text: unknown): boolean {
  return typeof text === 'string' && refPattern.test(text)
}

function contentFaults(directory: string, descriptor: Json): Faults {
  const digest = String(descriptor.digest)
  const path = join(directory, 'blobs', digest.replace(':', '/'))
  if (!existsSync(path)) return [`${digest} is missing`]
  const bytes = readFileSync(path)
  const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const wrong = [
    ...check(bytes.length === descriptor.size, `size of ${digest}`),
    ...check(found === digest, `digest of ${digest}`),
  ]
  return [...wrong, ...documentFaults(directory, String(descriptor.mediaType), bytes)]
}

function documentFaults(directory: string, mediaType: string, bytes: Buffer): Faults {
  const docker = mediaType === dockerTypes.manifest
  if (mediaType === ociTypes.index || mediaType === dockerTypes.index) {
    const index = JSON.parse(bytes.toString())
    const own = mediaType === ociTypes.index ? indexFaults(index) : []
    return [...own, ...index.manifests.flatMap((it: Json) => contentFaults(directory, it))]
  }
  if (mediaType !== ociTypes.manifest && !docker) return []
  const manifest = JSON.parse(bytes.toString())
  const config = read(join(directory, 'blobs', String(manifest.config.digest).replace(':', '/')))
  return [
    ...manifestFaults(manifest, { docker }),
    ...[manifest.config, ...manifest.layers].flatMap((it: Json) => contentFaults(directory, it)),
    ...configFaults(config, manifest.layers.length),
  ]
}

function executionFaults(value: unknown): Faults {
  if (!isObject(value)) return ['config.config is not an object']
  const strings = ['Env', 'Entrypoint', 'Cmd'].filter(
    (key) => !optional(value[key], (it) => it === null || isStrings(it)),
  )
  const sets = ['ExposedPorts', 'Volumes'].filter((key) => !optional(value[key], (it) => it === null || isSet(it)))
  const texts = ['User', 'WorkingDir', 'StopSignal'].filter((key) => !optional(value[key], isString))
  const env = isStrings(value.Env) ? value.Env : []
  return [
    ...[...strings, ...sets, ...texts].map((key) => `config.${key}`),
    ...check(
      env.every((text) => /^[^=]+=/.test(text)),
      'config.Env',
    ),
    ...check(
      optional(value.Labels, (it) => it === null || isStringMap(it)),
      'config.Labels',
    ),
    ...check(
      optional(value.ArgsEscaped, (it) => typeof it === 'boolean'),
      'config.ArgsEscaped',
    ),
  ]
}

function historyFaults(value: unknown, layers: number | undefined): Faults {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return ['history is not a list']
  const steps = value.filter((step) => step?.empty_layer !== true).length
  const texts = ['author', 'created_by', 'comment']
  return [
    ...value.flatMap((step, i) => [
      ...check(isObject(step) && optional(step.created, isTime), `history[${i}].created`),
      ...texts.flatMap((key) => check(optional(step?.[key], isString), `history[${i}].${key}`)),
      ...check(
        optional(step?.empty_layer, (it) => typeof it === 'boolean'),
        `history[${i}].empty_layer`,
      ),
    ]),
    ...check(
      value.length === 0 || layers === undefined || steps === layers,
      `history has ${steps} of ${layers} layers`,
    ),
  ]
}

function platformFaults(value: unknown, where: string): Faults {
  if (!isObject(value)) return [`${where} is not an object`]
  return [
    ...check(isString(value.architecture) && value.architecture !== '', `${where}.architecture`),
    ...check(isString(value.os) && value.os !== '', `${where}.os`),
    ...check(optional(value.variant, isString), `${where}.variant`),
    ...check(optional(value['os.version'], isString), `${where}.os.version`),
    ...check(optional(value['os.features'], isStrings), `${where}.os.features`),
  ]
}

function annotationFaults(value: unknown, where: string): Faults {
  if (value === undefined) return []
  if (!isStringMap(value)) return [`${where}.annotations`]
  const ref = value['org.opencontainers.image.ref.name']
  return [
    ...check(!Object.keys(value).includes(''), `${where}.annotations has an empty key`),
    ...check(optional(ref, isRefName), `${where}.annotations ref.name ${JSON.stringify(ref)}`),
  ]
}

const word = '[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}'
const mediaTypePattern = new RegExp(`^${word}/${word}$`)
const digestPattern = /^sha256:[a-f0-9]{64}$/
const component = '[A-Za-z0-9]+(?:(?:--|[-._:@+])[A-Za-z0-9]+)*'
const refPattern = new RegExp(`^${component}(?:/${component})*$`)
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

const ociTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: /^application\/vnd\.oci\.image\.layer\.(nondistributable\.)?v1\.tar(\+gzip|\+zstd)?$/,
}
const dockerTypes = {
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: /^application\/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.gzip|\.zstd)?$/,
}

function check(holds: boolean, fault: string): Faults {
  return holds ? [] : [fault]
}

function optional(value: unknown, holds: (value: unknown) => boolean): boolean {
  return value === undefined || holds(value)
}

function read(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isString(value: unknown): boolean {
  return typeof value === 'string'
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isString)
}

function isStringMap(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every(isString)
}

function isSet(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((it) => isObject(it) && Object.keys(it).length === 0)
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && timePattern.test(value) && !Number.isNaN(Date.parse(value))
}

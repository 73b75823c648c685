import type { ImageConfig } from '../image/config.js'

interface Inspected {
  readonly OCIv1: ImageConfig
  readonly Docker: Readonly<Record<string, unknown>>
}

/** Buildah's templates reach the OCI configuration by Go's field names, which begin with a capital letter. */
export function forTemplates(result: Inspected): object {
  const { OCIv1, Docker } = result
  return withJson(result, { ...result, OCIv1: goObject(OCIv1, image), Docker: goObject(Docker, image) })
}

/** Go's JSON has the specification's names, whatever the fields are called. */
function withJson(original: object, shown: object): object {
  return Object.defineProperty({ ...shown }, 'toJSON', { value: () => original })
}

function goObject(value: object, shape: Shape = {}): object {
  const entries = Object.entries(value).map(([key, inner]) => {
    const field = goNames[key] ?? key.charAt(0).toUpperCase() + key.slice(1)
    return [field, maps.has(field) ? inner : goValue(inner, shape[field])]
  })
  return withJson(value, { ...emptyFields(shape), ...Object.fromEntries(entries) })
}

function goValue(value: unknown, empty: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => goValue(one, undefined))
  if (typeof value !== 'object' || value === null) return value
  return goObject(value, empty === undefined ? {} : (empty as Shape))
}

/** A field that is not set has Go's zero value: an empty text, list or map. */
type Shape = Readonly<Record<string, unknown>>

function emptyFields(shape: Shape): object {
  const entries = Object.entries(shape).map(([field, empty]) => {
    const isObject = typeof empty === 'object' && empty !== null && Object.keys(empty).length > 0
    return [field, isObject && !Array.isArray(empty) ? emptyFields(empty as Shape) : empty]
  })
  return Object.fromEntries(entries)
}

const execution: Shape = {
  User: '',
  ExposedPorts: {},
  Env: [],
  Entrypoint: [],
  Cmd: [],
  Volumes: {},
  WorkingDir: '',
  Labels: {},
  StopSignal: '',
  Shell: [],
  OnBuild: [],
}
const image: Shape = {
  Created: '',
  Author: '',
  Architecture: '',
  OS: '',
  Variant: '',
  Config: execution,
  ContainerConfig: execution,
  RootFS: { Type: '', DiffIDs: [] },
  History: [],
}

const goNames: Readonly<Record<string, string>> = {
  os: 'OS',
  rootfs: 'RootFS',
  diff_ids: 'DiffIDs',
  created_by: 'CreatedBy',
  empty_layer: 'EmptyLayer',
  container_config: 'ContainerConfig',
  'os.version': 'OSVersion',
  'os.features': 'OSFeatures',
  OnBuild: 'OnBuild',
}

/** Fields whose keys are the user's own words. */
const maps = new Set(['Labels', 'ExposedPorts', 'Volumes', 'Annotations'])

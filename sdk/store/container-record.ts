import { BuilderError } from '../errors.js'
import { type History, type ImageConfig, parseJson } from '../image/config.js'
import { type Descriptor, parseDescriptor } from '../image/descriptor.js'
import { type Digest, isDigest } from '../image/digest.js'
import type { ProcessIdentity } from '../namespace/process.js'
import type { Owner } from './owner.js'

/** A working container, as `container.json` keeps it. */
export interface ContainerRecord {
  /** 64 hexadecimal digits; the folder's name. */
  readonly id: string
  readonly name: string
  /** RFC 3339. */
  readonly created: string
  /** The image it began with; absent for `scratch`. */
  readonly from?: { readonly name: string; readonly id: string; readonly manifestDigest: Digest }
  /** DiffIDs, the lowest first. */
  readonly layers: readonly Digest[]
  /** The same layers as a manifest describes them: the base image's compressed blobs keep their digests. */
  readonly layerDescriptors: readonly Descriptor[]
  /** As edited so far; `rootfs` and `history` are of what is committed below. */
  readonly config: ImageConfig
  /** Annotations of the manifest to be. */
  readonly annotations: Readonly<Record<string, string>>
  readonly format: 'oci' | 'docker'
  /** Given when it was made, used by every `run`. */
  readonly defaults: ContainerDefaults
  /** Paths made for runs that are no part of the image. */
  readonly mountpoints: readonly Mountpoint[]
  readonly mounted?: ContainerMount
  /** The layer that its upper directory is becoming at this moment. */
  readonly adopting?: Digest
  /** What the record says once that is done. */
  readonly adopted?: Adopted
  /** History entries for the next commit, in front of its own. */
  readonly history?: readonly History[]
  /** What the next commit's own history entry says. */
  readonly next?: { readonly createdBy?: string; readonly comment?: string }
  /** Its verbs are steps: what was executed before comes from the step cache. */
  readonly steps?: ContainerSteps
  /** Folders that a run only touched: left out of the next layer when they are as they were. */
  readonly touched?: readonly string[]
  /** The process that works in it: when that is gone, nobody wants the container. Absent for one that stays. */
  readonly owner?: Owner
}

/** How the verbs of a container are steps. */
export interface ContainerSteps {
  /** Nothing is taken from the cache; what is executed is kept all the same. */
  readonly fresh?: boolean
  /** Each verb says whether it was executed, and why. */
  readonly explain?: boolean
  /** The image's history tells each verb as a build from a Containerfile tells its lines. */
  readonly history?: boolean
}

/** The parts of a record that an adopted upper directory changes. */
export type Adopted = Pick<ContainerRecord, 'layers' | 'layerDescriptors' | 'config'>

/** Options of `from` that later runs use. */
export interface ContainerDefaults {
  readonly isolation?: string
  readonly network?: string
  readonly capAdd?: readonly string[]
  readonly capDrop?: readonly string[]
  readonly device?: readonly string[]
  readonly volume?: readonly string[]
  readonly securityOpt?: readonly string[]
}

/** A path in the container that was made to mount something on. */
export interface Mountpoint {
  readonly path: string
  readonly kind: 'file' | 'dir'
  /** Nanoseconds since 1970, to be put back. */
  readonly parentMtime: string
  /** The parent's time just after: when it has another one later, someone else changed it, and that time stays. */
  readonly parentMtimeMade?: string
}

/** Where a container's file system is mounted for the user, by `builder mount`. */
export interface ContainerMount {
  /** Inode number of the mount namespace. */
  readonly mountNamespace: string
  readonly path: string
  /** The process with which that namespace ends. */
  readonly keeper?: ProcessIdentity
}

/** Reads `container.json`. Throws `INVALID`, naming the file. */
export function parseContainerRecord(bytes: Uint8Array | string, path: string): ContainerRecord {
  const it = parseJson(bytes, path) as Partial<ContainerRecord> | null
  const fault = faultOf(it)
  if (fault !== undefined) throw damaged(path, fault)
  it?.layerDescriptors?.forEach((value, i) => {
    parseDescriptor(value, `${path} layerDescriptors[${i}]`)
  })
  return it as ContainerRecord
}

/** True for a name that a container can have. */
export function isContainerName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(name)
}

function faultOf(it: Partial<ContainerRecord> | null): string | undefined {
  if (!isObject(it)) return 'it is not a JSON object'
  if (!/^[0-9a-f]{64}$/.test(String(it.id))) return 'id is not 64 hexadecimal digits'
  if (!isContainerName(it.name)) return 'name is not a container name'
  if (typeof it.created !== 'string') return 'created is missing'
  if (it.from !== undefined && !isBase(it.from)) return 'from is not a name, an id and a manifest digest'
  if (!isList(it.layers, isDigest)) return 'layers holds something that is not a sha256 digest'
  if (!isList(it.layerDescriptors) || it.layerDescriptors.length !== it.layers.length)
    return 'layerDescriptors and layers are not of one length'
  return faultOfState(it)
}

function faultOfState(it: Partial<ContainerRecord>): string | undefined {
  if (!isObject(it.config) || !isList(it.config.rootfs?.diff_ids, isDigest)) return 'config.rootfs.diff_ids is missing'
  if (!isObject(it.annotations) || !Object.values(it.annotations).every((value) => typeof value === 'string'))
    return 'annotations is not a map of strings'
  if (it.format !== 'oci' && it.format !== 'docker') return 'format is neither oci nor docker'
  if (it.steps !== undefined && !isObject(it.steps)) return 'steps is not an object'
  if (!isObject(it.defaults)) return 'defaults is missing'
  if (!isList(it.mountpoints, isMountpoint)) return 'mountpoints holds something that is none'
  if (it.mounted !== undefined && !isMount(it.mounted)) return 'mounted does not say where'
  if (it.adopting !== undefined && !isDigest(it.adopting)) return 'adopting is not a sha256 digest'
  if (it.adopting !== undefined && !isObject(it.adopted)) return 'adopted is missing'
  return undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList(value: unknown, fits: (item: unknown) => boolean = () => true): value is readonly unknown[] {
  return Array.isArray(value) && value.every(fits)
}

function isBase(value: Partial<ContainerRecord['from']>): boolean {
  if (!isObject(value)) return false
  return typeof value.name === 'string' && typeof value.id === 'string' && isDigest(value.manifestDigest)
}

function isMountpoint(value: unknown): boolean {
  const it = value as Partial<Mountpoint> | null
  return typeof it?.path === 'string' && (it.kind === 'file' || it.kind === 'dir') && typeof it.parentMtime === 'string'
}

function isMount(it: Partial<ContainerMount>): boolean {
  return typeof it.mountNamespace === 'string' && typeof it.path === 'string'
}

function damaged(path: string, reason: string): BuilderError {
  const hint = 'remove the folder it is in (builder unshare rm -r), the container cannot be saved'
  return new BuilderError('INVALID', { operation: 'read container', object: path, reason, hint })
}

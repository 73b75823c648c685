import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Header } from 'tar'
import { BuilderError, type ErrorCode } from '../../sdk/errors.js'
import { canonicalJson } from '../../sdk/image/config.js'
import { type Descriptor, mediaTypes } from '../../sdk/image/descriptor.js'
import { type Digest, digestOf } from '../../sdk/image/digest.js'
import type { Platform } from '../../sdk/image/platform.js'
import { openStore, type Store } from '../../sdk/store/store.js'
import { type CopyOptions, copyImage, type ImageSource, openSink, openSource } from '../../sdk/transport/transport.js'

/** A folder with a store in it, for one test. */
export interface Bench extends AsyncDisposable {
  readonly folder: string
  readonly store: Store
  /** A path in the folder. */
  at(name: string): string
}

export async function newBench(): Promise<Bench> {
  // buildah makes a name of the path, which may not hold capital letters; podman takes no run root over 50 bytes.
  const folder = join(tmpdir(), `image-${randomUUID().slice(0, 8)}`)
  mkdirSync(folder, { mode: 0o700 })
  const store = await openStore({ root: join(folder, 'store'), runroot: join(folder, 'run') })
  return {
    folder,
    store,
    at: (name) => join(folder, name),
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** An entry of an archive: a file's content, or a header of another kind. */
export type TarEntry = string | Uint8Array | { readonly type: 'SymbolicLink' | 'Link'; readonly linkpath: string }

/** A tar archive, entries in the order given; a name may occur again as a pair. */
export function tarOf(entries: Readonly<Record<string, TarEntry>> | readonly (readonly [string, TarEntry])[]): Buffer {
  const pairs = (Array.isArray(entries) ? entries : Object.entries(entries)) as readonly (readonly [string, TarEntry])[]
  const blocks = pairs.map(([path, entry]) => tarEntry(path, entry))
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

function tarEntry(path: string, entry: TarEntry): Buffer {
  const isLink = typeof entry === 'object' && 'linkpath' in entry
  const body = isLink ? Buffer.alloc(0) : Buffer.from(entry as string)
  const kind = isLink ? entry : { type: 'File' as const }
  const header = new Header({ path, size: body.length, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), ...kind })
  header.encode()
  return Buffer.concat([header.block as Buffer, body, Buffer.alloc((512 - (body.length % 512)) % 512)])
}

/** An image in memory: its documents and blobs by digest. */
export interface Sample {
  readonly top: Descriptor
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly diffIDs: readonly Digest[]
  readonly blobs: Map<Digest, Uint8Array>
}

export interface SampleOptions {
  /** One file `name` with this content a layer. */
  readonly files?: readonly string[]
  /** Whole layers instead. */
  readonly tars?: readonly Buffer[]
  readonly compression?: 'none' | 'gzip' | 'zstd'
  readonly platform?: Platform
  readonly docker?: boolean
  readonly annotations?: Readonly<Record<string, string>>
}

/** Makes an image of one file a layer. */
export function sampleImage(options: SampleOptions = {}): Sample {
  const { files = ['one', 'two'], compression = 'gzip', docker = false, annotations } = options
  const platform = options.platform ?? { os: 'linux', architecture: 'amd64' }
  const blobs = new Map<Digest, Uint8Array>()
  const tars = options.tars ?? files.map((text, i) => tarOf({ [`file${i}`]: `${text}\n`.repeat(20) }))
  const types = layerTypes(docker)[compression]
  const layers = tars.map((tar) => add(blobs, types, compress(tar, compression)))
  const diffIDs = tars.map((tar) => digestOf(tar))
  const history = tars.map((_, i) => ({ created: '2024-01-01T00:00:00Z', created_by: `add ${files[i] ?? i}` }))
  const execution = { Cmd: ['/bin/true'], Env: ['PATH=/bin'] }
  const config = { ...platform, config: execution, rootfs: { type: 'layers', diff_ids: diffIDs }, history }
  const configType = docker ? mediaTypes.dockerConfig : mediaTypes.config
  return { ...seal(blobs, add(blobs, configType, canonicalJson(config)), layers, docker, annotations), diffIDs }
}

/** An index of images in memory. */
export function sampleIndex(images: readonly (Sample & { readonly platform?: Platform })[]): Sample {
  const blobs = new Map(images.flatMap((image) => [...image.blobs]))
  const manifests = images.map(({ top, platform }) => ({ ...top, ...(platform ? { platform } : {}) }))
  const top = add(blobs, mediaTypes.index, canonicalJson({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }))
  return { ...(images[0] as Sample), top, blobs }
}

/** Puts another configuration or other layer descriptors in place of a sample's. */
export function resealed(image: Sample, config: Descriptor, layers: readonly Descriptor[]): Sample {
  const docker = image.top.mediaType === mediaTypes.dockerManifest
  return { ...seal(image.blobs, config, layers, docker), diffIDs: image.diffIDs }
}

export function add(blobs: Map<Digest, Uint8Array>, mediaType: string, content: Uint8Array | string): Descriptor {
  const bytes = Buffer.from(content)
  blobs.set(digestOf(bytes), bytes)
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

/** A sample as a source. `slow` waits before each blob's last chunk. */
export function sampleSource(image: Sample, slow: () => Promise<void> = async () => {}): ImageSource {
  const bytesOf = (digest: Digest) => {
    const bytes = image.blobs.get(digest)
    if (bytes) return bytes
    throw new BuilderError('NOT_FOUND', { operation: 'read image', object: 'sample', reason: `no blob ${digest}` })
  }
  return {
    name: 'sample',
    top: async () => ({ bytes: bytesOf(image.top.digest), ...image.top }),
    manifest: async ({ digest }) => bytesOf(digest),
    async blob({ digest }) {
      const bytes = bytesOf(digest)
      return (async function* () {
        yield bytes.subarray(0, 10)
        await slow()
        yield bytes.subarray(10)
      })()
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** Copies a sample to a place. */
export async function put(bench: Bench, image: Sample, to: string, options: CopyOptions = { all: true }) {
  await using sink = await openSink(bench.store, to)
  return await copyImage(sampleSource(image), sink, options)
}

/** Copies from one place to another. */
export async function copy(bench: Bench, from: string, to: string, options: CopyOptions = {}) {
  await using source = await openSource(bench.store, from)
  await using sink = await openSink(bench.store, to)
  return await copyImage(source, sink, options)
}

interface HostOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a host program and gives what it printed. */
export function host(argv: readonly string[], options: HostOptions = {}): string {
  const [program = '', ...args] = argv
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], ...options })
}

/** The same for a program that prints bytes. */
export function hostBytes(argv: readonly string[]): Buffer {
  const [program = '', ...args] = argv
  return execFileSync(program, args, { maxBuffer: 1 << 30 })
}

/** For `assert.rejects`: a BuilderError with this code whose message holds this text. */
export function failsWith(code: ErrorCode | readonly ErrorCode[], text = '') {
  return (error: unknown) => {
    if (!(error instanceof BuilderError)) throw error
    const fits = [code].flat().includes(error.code) && error.message.includes(text)
    if (!fits)
      throw new Error(`${error.code} ${error.message}, expected ${[code].flat().join(' or ')} ${text}`, {
        cause: error,
      })
    return true
  }
}

/** All names below a folder, sorted, without the store. */
export function namesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => !/^(store|run)(\/|$)/.test(name))
    .sort()
}

/** All blobs, layers and unfinished things of the bench's store. */
export function storeContent({ folder }: Bench): string[] {
  return ['blobs/sha256', 'layers', 'tmp'].flatMap((part) =>
    readdirSync(join(folder, 'store', part)).map((name) => `${part}/${name}`),
  )
}

/** A copy of a file or a directory, to be damaged. */
export function duplicate(from: string, to: string): string {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to, { recursive: true })
  return to
}

/** Writes a file and the folders above it. */
export function write(path: string, content: Uint8Array | string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

export function zstd(bytes: Uint8Array): Buffer {
  return execFileSync('zstd', ['-q', '-c'], { input: bytes })
}

function seal(
  blobs: Map<Digest, Uint8Array>,
  config: Descriptor,
  layers: readonly Descriptor[],
  docker: boolean,
  annotations?: Readonly<Record<string, string>>,
) {
  const mediaType = docker ? mediaTypes.dockerManifest : mediaTypes.manifest
  const manifest = { schemaVersion: 2, mediaType, config, layers, annotations }
  return { top: add(blobs, mediaType, canonicalJson(manifest)), config, layers, blobs }
}

function compress(tar: Buffer, compression: 'none' | 'gzip' | 'zstd'): Buffer {
  if (compression === 'gzip') return gzipSync(tar)
  return compression === 'zstd' ? zstd(tar) : tar
}

function layerTypes(docker: boolean) {
  if (!docker) return { none: mediaTypes.layer, gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd }
  return { none: mediaTypes.dockerLayer, gzip: mediaTypes.dockerLayerGzip, zstd: `${mediaTypes.dockerLayer}.zstd` }
}

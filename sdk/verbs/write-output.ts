import { once } from 'node:events'
import { open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import type { Built } from '../containerfile/metadata.js'
import type { BuildOutput } from '../containerfile/output.js'
import { asBuilderError, BuilderError } from '../errors.js'
import type { Platform } from '../image/platform.js'
import { layerStream } from '../layer/pack.js'
import { writeTree } from '../layer/write-tree.js'
import { caller } from '../namespace/caller.js'
import { useImageRoot } from '../store/image-root.js'
import type { Image } from '../store/read-image.js'
import { isList } from '../store/read-list.js'
import type { Store } from '../store/store.js'
import { hiddenPath } from '../transport/hidden.js'
import { type PushOptions, push } from './push.js'
import { remoteName } from './transfer/pull-names.js'

/** What a build made, and what it is called. */
export interface BuiltImage {
  readonly built: Built
  /** The images of a list; of an image itself alone. */
  readonly images: readonly Image[]
  readonly names: readonly string[]
}

/** How outputs are written: what reaches registries, what shows progress, what stops it. */
export type OutputOptions = Pick<
  PushOptions,
  | 'root'
  | 'runroot'
  | 'storageDriver'
  | 'signal'
  | 'authfile'
  | 'creds'
  | 'tlsVerify'
  | 'certDir'
  | 'registriesConf'
  | 'registriesConfDir'
  | 'shortNameAliasConf'
  | 'progress'
  | 'onProgress'
  | 'quiet'
>

/**
 * Writes what a build made to where `--output` says. Run it inside the namespace.
 *
 * Throws `EXISTS` for a docker-archive that is there, `USAGE` for an image without a name that is to be pushed, `UNSUPPORTED` for a
 * tar of several platforms, `SYSTEM`, and what `push` throws.
 */
export async function writeOutput(
  store: Store,
  made: BuiltImage,
  output: BuildOutput,
  options: OutputOptions,
): Promise<void> {
  if (output.type === 'cacheonly') return
  if (output.type === 'local') return writeFolder(store, made, output, options)
  if (output.type === 'tar') return writeTar(store, made, output.dest, options)
  for (const destination of destinationsOf(made, output))
    await push(made.built.id, destination, pushing(made, output, options))
}

async function writeFolder(
  store: Store,
  { built, images }: BuiltImage,
  { dest, platformSplit }: Extract<BuildOutput, { type: 'local' }>,
  { signal }: OutputOptions,
): Promise<void> {
  const skipped: string[] = []
  for (const { config } of images) {
    await using root = await useImageRoot(store, config.rootfs.diff_ids)
    const folder = isList(built) && platformSplit ? join(dest, folderOf(config)) : dest
    await writeTree(root.path, folder, { onSkip: (path) => skipped.push(path), ...(signal ? { signal } : {}) })
  }
  if (skipped.length === 0) return
  const more = skipped.length > 3 ? ` and ${skipped.length - 3} more` : ''
  caller().say(`builder: warning: ${dest}: devices are left out: ${skipped.slice(0, 3).join(', ')}${more}\n`)
}

/** As BuildKit names it: `linux_arm64_v8`. */
function folderOf({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('_').replace(/[^\w.-]/g, '_')
}

async function writeTar(store: Store, { images }: BuiltImage, dest: string, { signal }: OutputOptions): Promise<void> {
  const [image, ...others] = images
  if (!image) return
  if (others.length > 0) {
    const reason = 'a tar holds the files of one platform'
    const hint = 'use type=local, which makes a folder for each, or type=oci'
    throw new BuilderError('UNSUPPORTED', { operation: 'write output', object: `type=tar,dest=${dest}`, reason, hint })
  }
  await using root = await useImageRoot(store, image.config.rootfs.diff_ids)
  const bytes = layerStream(root.path, signal ? { signal } : {})
  if (dest === '-') await pour(bytes, standardOutput())
  else
    await writeFile(bytes, dest).catch((error) => {
      throw asBuilderError(error, 'write output', dest)
    })
}

/** A file appears as a whole, under its name; a pipe or a device is written to. */
async function writeFile(bytes: AsyncIterable<Uint8Array>, dest: string): Promise<void> {
  const target = await realpath(dest).catch(() => resolve(dest))
  const found = await stat(target).catch(() => undefined)
  const isStream = found !== undefined && !found.isFile() && !found.isDirectory()
  const path = isStream ? target : await hiddenPath(dirname(target), basename(target))
  const file = await open(path, isStream ? 'w' : 'wx')
  try {
    for await (const chunk of bytes) await file.writeFile(chunk)
    if (!isStream) await file.sync()
    await file.close()
    if (!isStream) await rename(path, target)
  } catch (error) {
    await file.close().catch(() => {})
    if (!isStream) await rm(path, { force: true })
    throw error
  }
}

function standardOutput(): Writable {
  const { stdout } = caller()
  if (stdout) return stdout()
  const reason = 'there is no standard output here that a script reads'
  throw new BuilderError('USAGE', {
    operation: 'write output',
    object: '-',
    reason,
    hint: 'write to a file with dest=',
  })
}

/** No faster than it is read; a reader that goes away ends it. */
async function pour(bytes: AsyncIterable<Uint8Array>, out: Writable): Promise<void> {
  let failure: unknown
  const failed = (error: unknown) => {
    failure = error
  }
  out.on('error', failed)
  try {
    for await (const chunk of bytes) {
      if (failure) break
      if (out.write(chunk)) continue
      await Promise.race([once(out, 'drain'), once(out, 'close')]).catch(failed)
    }
    if (!failure) await new Promise<void>((done) => out.write('', () => done()))
  } finally {
    out.off('error', failed)
  }
  if (failure) throw asBuilderError(failure, 'write output', 'standard output')
}

type ImageOutput = Extract<BuildOutput, { type: 'oci' | 'docker' | 'image' }>

function destinationsOf({ names }: BuiltImage, output: ImageOutput): readonly string[] {
  const own = output.names.length > 0 ? output.names : names
  const [name] = own
  const suffix = name === undefined ? '' : `:${name}`
  if (output.type === 'oci') {
    const path = output.dest === '-' ? '/dev/stdout' : output.dest
    const tag = name === undefined ? '' : `:${/:([\w.-]+)$/.exec(name)?.[1] ?? 'latest'}`
    return [`${output.tar ? 'oci-archive' : 'oci'}:${path}${tag}`]
  }
  if (output.type === 'docker' && output.dest !== undefined)
    return [`docker-archive:${output.dest === '-' ? '/dev/stdout' : output.dest}${suffix}`]
  if (output.type === 'image' && !output.push) return []
  if (name === undefined) throw nameless(output.type)
  if (output.type === 'docker') return own.map((one) => `docker-daemon:${one}`)
  return own.map((one) => `docker://${remoteName(one)}`)
}

function pushing(
  { built }: BuiltImage,
  { compression, compressionLevel, forceCompression, isDockerFormat }: ImageOutput,
  options: OutputOptions,
): PushOptions {
  return {
    ...options,
    ...(isList(built) ? { all: true } : {}),
    ...(compression === undefined ? {} : { compressionFormat: compression }),
    ...(compressionLevel === undefined ? {} : { compressionLevel }),
    ...(forceCompression === undefined ? {} : { forceCompression }),
    ...(isDockerFormat ? { format: 'v2s2' as const } : {}),
  }
}

function nameless(type: string): BuilderError {
  const hint = `write --output type=${type},name=NAME, or give the image a name with --tag`
  const reason = 'the image has no name'
  return new BuilderError('USAGE', { operation: 'write output', object: `type=${type}`, reason, hint })
}

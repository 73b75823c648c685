/** Stores, images and child processes for the tests of this room. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { canonicalJson, emptyConfig } from '../../sdk/image/config.js'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import { packLayer } from '../../sdk/layer/pack.js'
import { adoptUpper } from '../../sdk/store/adopt.js'
import { putBlob } from '../../sdk/store/blobs.js'
import { type ContainerRecord, containerDir, createContainer } from '../../sdk/store/containers.js'
import { addImage, type Image } from '../../sdk/store/images.js'
import { openStore, type Store } from '../../sdk/store/store.js'
import { tempDir } from '../lane.js'

export const scratchConfig = emptyConfig({ os: 'linux', architecture: 'amd64' })

/** An empty store that is gone when the test ends. */
export async function emptyStore(t: Pick<TestContext, 'after'>): Promise<Store> {
  const folder = tempDir(t)
  return openStore({ root: join(folder, 'root'), runroot: join(folder, 'run') })
}

/** Writes files into a container's upper directory. */
export function write(store: Store, { id }: ContainerRecord, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(containerDir(store, id), 'upper/diff', name), content)
}

/** Packs a container's upper directory and makes it a layer; equal files give equal layers. */
export async function adopt(store: Store, record: ContainerRecord, packedNow = () => {}): Promise<ContainerRecord> {
  const packed = await packLayer(join(containerDir(store, record.id), 'upper/diff'), { clamp: 0 })
  const layers = [...record.layers, packed.diffID]
  const descriptor = { mediaType: mediaTypes.layer, digest: packed.diffID, size: packed.size }
  const config = { ...record.config, rootfs: { type: 'layers' as const, diff_ids: layers } }
  packedNow()
  const adopted = { layers, layerDescriptors: [...record.layerDescriptors, descriptor], config }
  return adoptUpper(store, record, { ...packed, clamp: 0, created: '2020-01-01T00:00:00Z' }, adopted)
}

/** The bytes of a manifest for a container's layers; the config is put into the store. */
export async function manifestOf(store: Store, record: ContainerRecord): Promise<Buffer> {
  const config = Buffer.from(canonicalJson(record.config))
  const descriptor = { mediaType: mediaTypes.config, digest: await putBlob(store, config), size: config.length }
  const { layerDescriptors: layers } = record
  return Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: descriptor, layers }))
}

/** An image of one layer with these files, and the container that it was made in. */
export async function makeImage(
  store: Store,
  names: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<{ image: Image; container: ContainerRecord }> {
  const made = await createContainer(store, { config: scratchConfig })
  write(store, made, files)
  const container = await adopt(store, made)
  return { image: await addImage(store, await manifestOf(store, container), names), container }
}

/** A child process running one of the modules beside this one, its lines of output, and how it ends. */
export interface Child {
  readonly process: ChildProcess
  readonly lines: AsyncIterableIterator<string>
  /** The exit code, or the signal's name; what it wrote to stderr. */
  readonly ended: Promise<{ end: number | string; stderr: string }>
}

export function startChild(module: string, ...args: readonly string[]): Child {
  const path = fileURLToPath(new URL(`./${module}.js`, import.meta.url))
  const child = spawn(process.execPath, ['--enable-source-maps', path, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const ended = new Promise<{ end: number | string; stderr: string }>((resolve) =>
    child.on('close', (code, signal) => resolve({ end: code ?? signal ?? '', stderr })),
  )
  return { process: child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](), ended }
}

/** The error that a promise ends with. */
export async function failure(promise: Promise<unknown>): Promise<Error & { code?: string; hint?: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('it did not fail')
}

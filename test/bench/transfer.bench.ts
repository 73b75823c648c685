/** Moving an image of 10 layers, 600 MB and 20,000 files from and to a registry on this machine, beside the peers. */

import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type RegistryServer, startRegistry } from '../transport/registry/server.js'
import { type Prepared, pair, type Row } from './pair.js'
import { newPlace, type Place, restDisk } from './places.js'

/** `BENCH_MEGABYTES=20` tries it with little. */
const megabytes = Number(process.env.BENCH_MEGABYTES ?? 600)
const [layers, files, runs] = [10, Math.ceil(megabytes * 33.4), 2]

export async function measure(): Promise<readonly Row[]> {
  const place = newPlace()
  try {
    await using registry = await startRegistry(join(place.folder, 'registry'))
    const image = `docker://${registry.host}/bench:1`
    await makeImage(place)
    await call([...place.ours, 'push', '-q', '--tls-verify=false', 'bench', image], place)
    const size = `${megabytes} MB, ${files} files, ${layers} layers`
    return [
      ...(await pulls(place, image, size)),
      ...(await pushes(place, image, size)),
      ...(await copies(place, image, size)),
    ]
  } finally {
    place.remove()
  }
}

/** One layer a folder; a quarter of the files does not compress, the others are words. */
async function makeImage(place: Place): Promise<void> {
  let base = 'scratch'
  for (let layer = 0; layer < layers; layer++) {
    const folder = join(place.folder, 'tree', `part${layer}`)
    fill(folder, layer)
    const container = await call([...place.ours, 'from', base], place)
    await call([...place.ours, 'copy', '-q', container, folder, `/part${layer}`], place)
    await call([...place.ours, 'commit', '-q', '--rm', container, 'bench'], place)
    base = 'bench'
  }
  rmSync(join(place.folder, 'tree'), { recursive: true })
}

function fill(folder: string, layer: number): void {
  let state = 88675123 + layer
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  const words = Array.from({ length: 4000 }, () => `${next().toString(36)} `)
  const content = Buffer.alloc(Math.floor((megabytes * 1e6) / files))
  for (let i = 0; i < files / layers; i++) {
    if (i % 4 === 0) for (let at = 0; at + 4 <= content.length; at += 4) content.writeUInt32LE(next(), at)
    else
      for (let at = 0; at < content.length; ) at += content.write(words[next() % words.length] ?? '', at, 'latin1') || 1
    const into = join(folder, `d${Math.floor(i / 200)}`)
    if (i % 200 === 0) mkdirSync(into, { recursive: true })
    writeFileSync(join(into, `f${i}`), content)
  }
}

/** From the registry to a container that can run, into an empty store. */
async function pulls(place: Place, image: string, size: string): Promise<readonly Row[]> {
  const own = fresh(place, 'pulled')
  const ours: Prepared = {
    before: restDisk,
    run: async () => {
      await call([...own.words, 'pull', '-q', '--tls-verify=false', image], place)
      await call([...own.words, 'from', image.slice('docker://'.length)], place)
    },
    after: own.empty,
  }
  const rows: Row[] = []
  for (const program of ['buildah', 'podman']) {
    const store = peerStore(place, program)
    const make = program === 'buildah' ? 'from' : 'create'
    const peer: Prepared = {
      before: restDisk,
      run: async () => {
        await call([...store, 'pull', '-q', '--tls-verify=false', image], place)
        await call([...store, make, image.slice('docker://'.length), ...(make === 'create' ? ['true'] : [])], place)
      },
      after: async () => {
        await call([...store, 'rm', '-a', ...(make === 'create' ? ['-f'] : [])], place)
        await call([...store, 'rmi', '-a', '-f'], place)
      },
    }
    rows.push({ work: `pull and from: ${size}`, peer: program, ...(await pair(ours, peer, runs)), aim: '< 1' })
  }
  return rows
}

/** Of an image that was made here, so that its layers are to be compressed, to an empty registry. */
async function pushes(place: Place, image: string, size: string): Promise<readonly Row[]> {
  const forget = async () => rmSync(join(place.folder, 'ours/cache/compressed.json'), { force: true })
  const ours = toEmpty(
    place,
    (to) => call([...place.ours, 'push', '-q', '--tls-verify=false', 'bench', to], place),
    forget,
  )
  const rows: Row[] = []
  for (const program of ['buildah', 'podman']) {
    const store = peerStore(place, program)
    await call([...store, 'pull', '-q', '--tls-verify=false', image], place)
    const name = image.slice('docker://'.length)
    const peer = toEmpty(place, (to) => call([...store, 'push', '-q', '--tls-verify=false', name, to], place))
    rows.push({ work: `push: ${size}`, peer: program, ...(await pair(ours, peer, runs)), aim: '< 1' })
    await call([...store, 'rmi', '-a', '-f'], place)
  }
  return rows
}

/** Compressed layers that keep their bytes. */
async function copies(place: Place, image: string, size: string): Promise<readonly Row[]> {
  const layout = `oci:${join(place.folder, 'layout')}:1`
  await call(['skopeo', 'copy', '-q', '--src-tls-verify=false', image, layout], place)
  const ours = toEmpty(place, (to) =>
    call([...place.ours, 'image', 'copy', '-q', '--dest-tls-verify=false', layout, to], place),
  )
  const peer = toEmpty(place, (to) => call(['skopeo', 'copy', '-q', '--dest-tls-verify=false', layout, to], place))
  return [{ work: `copy oci: to docker://: ${size}`, peer: 'skopeo', ...(await pair(ours, peer, runs)), aim: '< 1' }]
}

/** Each run has a registry of its own, which has nothing yet. */
function toEmpty(
  place: Place,
  run: (to: string) => Promise<unknown>,
  before: () => Promise<void> = async () => {},
): Prepared {
  const folder = join(place.folder, 'empty-registry')
  let registry: RegistryServer | undefined
  return {
    before: async () => {
      await before()
      registry = await startRegistry(folder)
    },
    run: () => run(`docker://${registry?.host}/bench:1`),
    after: async () => {
      await registry?.[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A store of ours beside the one with the image. */
function fresh(place: Place, name: string) {
  const folder = join(place.folder, name)
  const words = [place.ours[0] ?? '', '--root', folder, '--runroot', join(place.folder, `${name}-run`)]
  return {
    words,
    empty: async () => {
      await call([...words, 'rm', '-a'], place)
      await call([...words, 'rmi', '-a', '-f'], place)
    },
  }
}

function peerStore(place: Place, program: string): readonly string[] {
  const folder = join(place.folder, program)
  const storage = ['--storage-driver', place.driver, '--root', folder, '--runroot', join(place.folder, `${program}-r`)]
  return [program, ...storage, ...(program === 'podman' ? ['--tmpdir', join(place.folder, `${program}-t`)] : [])]
}

/** Not as the other benchmarks do, for the registry's log must be read meanwhile. */
async function call(words: readonly string[], { env }: Place): Promise<string> {
  const [program = '', ...args] = words
  const { stdout } = await promisify(execFile)(program, args, { env, maxBuffer: 1 << 28 })
  return stdout.trimEnd()
}

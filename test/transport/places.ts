import { writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { after } from 'node:test'
import { lane } from '../lane.js'
import { type RegistryServer, startRegistry } from './registry/server.js'
import { type Bench, host, newBench } from './sample.js'

/** A transport, as the contract sees it. Another one is a line more in {@link places}. */
export interface Place {
  readonly kind: string
  /** What a test writes for the image `name` in `path`. */
  text(path: string, name: string): string
  /** What becomes of the image that is there when one of another name comes. */
  readonly second: 'kept' | 'replaced' | 'refused'
  /** `all`: the manifest comes back as it was. `plain`: when its layers were not compressed. `config`: it is made anew. */
  readonly keeps: 'all' | 'plain' | 'config'
  /** True where an image cannot be put again under the same name. */
  readonly isOnce?: boolean
  /** True where `name` plays no part. */
  readonly isNameless?: boolean
  /** True for what looks at the configuration while it writes. */
  readonly readsConfig?: boolean
  /** True where a Docker manifest may not have layers in zstd. */
  readonly isOldDocker?: boolean
  /** True where an image without layers can be put, but not read. */
  readonly needsLayers?: boolean
  /** Files of the place that may be damaged, and how often; none where the files are a daemon's. */
  readonly damage: { readonly parts: RegExp; readonly steps: number } | undefined
  /** Makes what must be there before an image can be put. */
  prepare?(bench: Bench): void | Promise<void>
}

const files = { parts: /^(blobs|index|oci-layout|[0-9a-f]{64}|manifest|$)/, steps: 24 }
const storage =
  /^vfs-(images|layers)\/(.*\/)?(manifest|=c2hh[^/]*|images\.json|layers\.json|.*\.gz)$|^vfs\/dir\/.*\/file\d$/

/** Every transport; those with a daemon only where that can run. */
export const places: readonly Place[] = [
  { kind: 'oci', text: (path, name) => `oci:${path}:${name}`, second: 'kept', keeps: 'all', damage: files },
  {
    kind: 'oci-archive',
    text: (path, name) => `oci-archive:${path}:${name}`,
    second: 'replaced',
    keeps: 'all',
    damage: files,
  },
  {
    kind: 'docker-archive',
    text: (path, name) => `docker-archive:${path}:${name}`,
    second: 'refused',
    keeps: 'config',
    isOnce: true,
    readsConfig: true,
    damage: files,
  },
  { kind: 'dir', text: (path) => `dir:${path}`, second: 'replaced', keeps: 'all', isNameless: true, damage: files },
  {
    kind: 'local',
    text: (_, name) => `localhost/${name}:1`,
    second: 'kept',
    keeps: 'all',
    readsConfig: true,
    damage: files,
  },
  {
    kind: 'containers-storage',
    text: (path, name) => `containers-storage:[vfs@${path}+${path}.run]localhost/${name}:1`,
    second: 'kept',
    keeps: 'plain',
    isOldDocker: true,
    damage: { parts: storage, steps: 5 },
  },
  {
    kind: 'ostree',
    text: (path, name) => `ostree:${name}:1@${path}`,
    second: 'kept',
    keeps: 'all',
    damage: { parts: /^objects\/.*\.(file|dirtree|commit)$/, steps: 2 },
    prepare: repository,
  },
  registry(),
  ...(lane() === 'root' ? [daemon()] : []),
]

/** A bench with what the place needs in it. */
export async function benchFor(place: Place): Promise<Bench> {
  const bench = await newBench()
  await place.prepare?.(bench)
  return bench
}

function repository(bench: Bench): void {
  const ostree = ['ostree', `--repo=${bench.at('image')}`]
  host([...ostree, 'init', '--mode=bare-user-only'])
  host([...ostree, 'config', 'set', 'core.fsync', 'false'])
}

/** Every bench has names of its own in the one registry. It speaks plain HTTP, which registries.conf must allow. */
function registry(): Place {
  let started: Promise<{ readonly server: RegistryServer; readonly bench: Bench }> | undefined
  let host = ''
  const start = async () => {
    const bench = await newBench()
    const server = await startRegistry(bench.at('registry'))
    host = server.host
    writeFileSync(bench.at('registries.conf'), `[[registry]]\nlocation = "${host}"\ninsecure = true\n`)
    process.env.CONTAINERS_REGISTRIES_CONF = bench.at('registries.conf')
    return { server, bench }
  }
  after(async () => {
    const { server, bench } = (await started) ?? {}
    await server?.[Symbol.asyncDispose]()
    await bench?.[Symbol.asyncDispose]()
  })
  return {
    kind: 'docker',
    text: (path, name) => `docker://${host}/${folderOf(path)}/${name}:1`,
    second: 'kept',
    keeps: 'all',
    damage: undefined,
    async prepare() {
      started ??= start()
      await started
    },
  }
}

/** Every bench has names of its own in the one engine. */
function daemon(): Place {
  const text = (path: string, name: string) => `docker-daemon:${folderOf(path)}/${name}:1`
  return { kind: 'docker-daemon', text, second: 'kept', keeps: 'config', needsLayers: true, damage: undefined }
}

/** The bench's own name. */
function folderOf(path: string): string {
  return basename(dirname(path))
}

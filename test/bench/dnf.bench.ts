/**
 * An install of some fifty packages with the host's dnf, beside plain `dnf --installroot` and beside dnf in a base image
 * under buildah. It needs Debian's packages from their mirror; what it makes of them is not measured.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { makeDebianRepository, wanted } from './dnf-repository.js'
import { pair, type Row } from './pair.js'
import { call, newPlace, type Place, top } from './places.js'

const runs = 5

export async function measure(): Promise<readonly Row[]> {
  const place = newPlace()
  let server: ChildProcess | undefined
  try {
    const { folder, names } = makeDebianRepository(join(place.folder, 'repository'))
    // A process of its own, for this one waits for what it measures.
    server = spawn(process.execPath, [join(top, 'dist/test/bench/serve-folder.js'), folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [address] = await once(server.stdout as Readable, 'data')
    const scene = { place, url: String(address).trim(), work: `install of ${names.length} packages` }
    const plain = plainDnf(scene)
    const buildah = buildahDnf(scene)
    return [
      {
        work: `dnf, ${scene.work}`,
        peer: 'dnf --installroot',
        ...(await pair(builderDnf(scene, 'cold'), plain, runs)),
        aim: '1.1',
      },
      {
        work: `dnf, ${scene.work}, cache warm`,
        peer: 'dnf --installroot',
        ...(await pair(builderDnf(scene, 'warm'), plain, runs)),
      },
      {
        work: `from, dnf, commit; ${scene.work}`,
        peer: 'buildah run dnf in a base image',
        ...(await pair(builderImage(scene), buildah, runs)),
      },
      ...sizes(scene),
    ]
  } finally {
    server?.kill()
    place.remove()
  }
}

interface Scene {
  readonly place: Place
  /** The repository's, over HTTP on this machine. */
  readonly url: string
  readonly work: string
}

const unwanted = ['--nodocs', '--setopt=install_weak_deps=False', '--nogpgcheck']

function install({ place, url }: Scene, container: string): void {
  const repository = ['--repo', `bench=${url}`, '--nogpgcheck']
  call([...place.ours, 'dnf', container, 'install', ...repository, ...wanted], place)
}

/** The verb alone: the container is there before. Nothing is known of the repository, or all that the first one left. */
function builderDnf(scene: Scene, cache: 'cold' | 'warm') {
  const { place } = scene
  let container = ''
  return {
    before: async () => {
      container = call([...place.ours, 'from', 'scratch'], place)
    },
    run: async () => install(scene, container),
    after: async () => {
      call([...place.ours, 'rm', container], place)
      if (cache === 'cold') removeTree(join(place.folder, 'ours'))
    },
  }
}

function builderImage(scene: Scene) {
  const { place } = scene
  return {
    run: async () => {
      const container = call([...place.ours, 'from', 'scratch'], place)
      install(scene, container)
      call([...place.ours, 'commit', '-q', '--rm', container, 'made'], place)
    },
    after: async () => {
      call([...place.ours, 'rmi', '-f', 'made'], place)
      removeTree(join(place.folder, 'ours'))
    },
  }
}

/** As a recipe does it by hand. Its cache is in the root that it fills. */
function plainDnf({ place, url }: Scene) {
  const root = plainRoot(place)
  const rpmHome = join(place.folder, 'home')
  mkdirSync(rpmHome)
  // Debian's rpm has its database in the home folder, and dnf would find nothing of it in the root.
  writeFileSync(join(rpmHome, '.rpmmacros'), '%_dbpath /usr/lib/sysimage/rpm\n')
  const repository = [`--repofrompath=bench,${url}`, '--repo=bench', '--releasever=1']
  const words = ['dnf', '-y', '-q', `--installroot=${root}`, ...repository, ...unwanted, 'install', ...wanted]
  const env = { ...place.env, HOME: rpmHome }
  return {
    before: async () => {
      removeTree(root)
      mkdirSync(root)
    },
    run: async () => void call([...inside, ...words], { env }),
  }
}

function plainRoot(place: Place): string {
  return join(place.folder, 'plain')
}

/** From an image that has a dnf, which is part of what is made. */
function buildahDnf({ place, url }: Scene) {
  const base = join(place.folder, 'base.tar')
  call(['mmdebstrap', '-q', '--variant=apt', '--include=dnf', codename(), base], place)
  const empty = call([...place.buildah, 'from', 'scratch'], place)
  call([...place.buildah, 'add', '-q', empty, base, '/'], place)
  call([...place.buildah, 'commit', '-q', '--rm', empty, 'base'], place)
  rmSync(base)
  const repository = `--repofrompath=bench,${url} --repo=bench --releasever=1`
  const script = `dnf -y -q ${repository} ${unwanted.join(' ')} install ${wanted.join(' ')} && dnf -q clean all`
  return {
    before: async () => void spawnSync(place.buildah[0] ?? '', [...place.buildah.slice(1), 'rmi', '-f', 'made']),
    run: async () => {
      const container = call([...place.buildah, 'from', 'base'], place)
      call([...place.buildah, 'run', '--network', 'host', container, '--', 'sh', '-c', script], place)
      call([...place.buildah, 'commit', '-q', '--rm', container, 'made'], place)
    },
  }
}

function codename(): string {
  return call(['sh', '-c', '. /etc/os-release && echo "$VERSION_CODENAME"'], process)
}

/** Of the files, as one tar: what an image of them has before it is compressed. */
function sizes(scene: Scene): readonly Row[] {
  const { place } = scene
  const container = call([...place.ours, 'from', 'scratch'], place)
  install(scene, container)
  const ours = size(call([...place.ours, 'mount', container], place))
  call([...place.ours, 'umount', container], place)
  const theirs = call([...place.buildah, 'from', 'made'], place)
  const mount = `${place.buildah.join(' ')} mount ${theirs}`
  const inBuildah = Number(
    process.getuid?.() === 0
      ? size(call(['sh', '-c', mount], place))
      : call(['buildah', 'unshare', 'sh', '-c', `tar -C "$(${mount})" -c . | wc -c`], place),
  )
  return [
    {
      work: 'size of its image',
      ours: megabytes(ours),
      peer: `dnf --installroot: ${megabytes(size(plainRoot(place)))}`,
    },
    { work: 'size of its image', ours: megabytes(ours), peer: `buildah run dnf: ${megabytes(inBuildah)}` },
  ]
}

function size(tree: string): number {
  return Number(call([...inside, 'sh', '-c', `tar -C "${tree}" -c . | wc -c`], process))
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

// A plain user's dnf needs a namespace as well.
const inside = process.getuid?.() === 0 ? [] : [process.execPath, join(top, 'test/setup/inside.mjs')]

function removeTree(path: string): void {
  execFileSync(inside[0] ?? 'rm', [...inside.slice(1), ...(inside.length > 0 ? ['rm'] : []), '-rf', path])
}

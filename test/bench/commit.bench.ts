/** Committing 600 MB in 20,000 files, and unpacking the layer again. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pair, type Row } from './pair.js'
import { call, makeTree, newPlace, restDisk } from './places.js'

const [files, bytes, runs] = [20_000, 600_000_000, 2]

export async function measure(): Promise<readonly Row[]> {
  const place = newPlace()
  try {
    const tree = join(place.folder, 'tree')
    mkdirSync(tree)
    makeTree(tree, files, bytes)
    const work = `600 MB in ${files} files`
    const read = () =>
      call(['sh', '-c', `find ${tree} -type f -print0 | sort -z | xargs -0 cat | openssl dgst -sha256`], place)
    const commit = filled(place.ours, place, tree)
    const reading = await pair(commit, async () => void read(), runs)
    const committing = await pair(filled(place.ours, place, tree), filled(place.buildah, place, tree), runs)
    return [
      { work: `commit ${work}`, peer: 'cat and openssl sha256', ...reading, aim: '1.3' },
      { work: `commit ${work}`, peer: `buildah (${place.driver})`, ...committing },
      ...(await unpacking(place, tree, work)),
    ]
  } finally {
    place.remove()
  }
}

/** A container with the tree in it, made before the clock starts and committed while it runs. */
function filled(tool: readonly string[], place: ReturnType<typeof newPlace>, tree: string) {
  let container = ''
  return {
    before: async () => {
      container = call([...tool, 'from', 'scratch'], place)
      const mounted = call([...tool, 'mount', container], place)
      call(['cp', '-a', `${tree}/.`, mounted], place)
      call([...tool, 'umount', container], place)
    },
    run: async () => void call([...tool, 'commit', '-q', '--rm', container, 'big'], place),
    after: async () => void call([...tool, 'rmi', '-f', 'big'], place),
  }
}

async function unpacking(place: ReturnType<typeof newPlace>, tree: string, work: string): Promise<readonly Row[]> {
  const layout = `oci:${join(place.folder, 'layout')}:big`
  const source = filled(place.ours, place, tree)
  await source.before()
  await source.run()
  call([...place.ours, 'push', '-q', 'big', layout], place)
  await source.after()
  const ours = {
    before: restDisk,
    run: async () => void call([...place.ours, 'pull', '-q', layout], place),
    after: emptied(place.ours, place),
  }
  const buildah = {
    before: restDisk,
    run: async () => void call([...place.buildah, 'pull', '-q', layout], place),
    after: emptied(place.buildah, place),
  }
  const raw = join(place.folder, 'raw')
  const umoci = {
    before: restDisk,
    run: async () => void call(['umoci', 'raw', 'unpack', '--image', layout.slice(4), raw], place),
    after: async () => rmSync(raw, { recursive: true, force: true }),
  }
  return [
    { work: `pull oci: ${work}`, peer: `buildah (${place.driver})`, ...(await pair(ours, buildah, runs)) },
    { work: `pull oci: ${work}`, peer: 'umoci raw unpack (no store)', ...(await pair(ours, umoci, runs)) },
  ]
}

function emptied(tool: readonly string[], place: ReturnType<typeof newPlace>) {
  return async () => void call([...tool, 'rmi', '-a', '-f'], place)
}

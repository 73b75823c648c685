import type { Store } from '../../store/store.js'
import { openArchive } from '../../transport/archive.js'
import { dockerArchiveNames } from '../../transport/docker-archive.js'
import { nameAnnotations, readIndexFile } from '../../transport/layout.js'
import { parseLocation } from '../../transport/location.js'
import type { TransportText } from '../../transport/transport-text.js'
import { directoryTree, type FileTree } from '../../transport/tree.js'

/** The names of the images in a layout or an archive, in its order. Throws `NOT_FOUND`, `INVALID`. */
export async function namesInFile(
  store: Store,
  { transport, rest }: TransportText,
  name: string,
): Promise<readonly string[]> {
  const { path } = parseLocation(rest, transport)
  if (transport === 'oci') return namesInLayout(await directoryTree(path, name))
  await using archive = await openArchive(store, path, name)
  return await (transport === 'oci-archive' ? namesInLayout(archive) : dockerArchiveNames(archive))
}

async function namesInLayout(tree: FileTree): Promise<readonly string[]> {
  const { manifests } = await readIndexFile(tree)
  return manifests.flatMap(({ annotations }) => annotations?.[nameAnnotations[0]] ?? [])
}

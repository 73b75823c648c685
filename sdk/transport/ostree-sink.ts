import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '../store/store.js'
import { temporaryFolder } from '../store/temporary.js'
import { ociSink } from './oci.js'
import { checkRepository, ostreeTool, parseOstree } from './ostree.js'
import type { ImageSink } from './sink.js'
import { runTool } from './tool.js'

/**
 * Commits an image to a branch of an ostree repository. Its layout is first written under the store's `tmp` and checked:
 * ostree sees nothing of a copy that fails, and then moves the files where it can. Equal images give equal trees. What
 * the branch held before stays in its history.
 */
export async function ostreeSink(store: Store, rest: string, name: string): Promise<ImageSink> {
  const place = parseOstree(rest, name)
  const call = { name, operation: 'write image' } as const
  await checkRepository(place, call)
  const folder = temporaryFolder(store)
  const layout = await ociSink(store, { path: join(folder, 'layout') }, name)
  return {
    ...layout,
    async finish() {
      await layout.finish()
      await runTool([...commit(place), `--subject=${name}`, `--tree=dir=${join(folder, 'layout')}`], call)
    },
    async [Symbol.asyncDispose]() {
      await layout[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Owners, times and attributes of the files on the way are nobody's concern. */
function commit({ repository, branch }: { readonly repository: string; readonly branch: string }): readonly string[] {
  const plain = ['--canonical-permissions', '--owner-uid=0', '--owner-gid=0', '--no-xattrs']
  return [ostreeTool.program, `--repo=${repository}`, 'commit', `--branch=${branch}`, '--consume', ...plain]
}

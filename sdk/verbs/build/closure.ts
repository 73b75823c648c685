import { rm } from 'node:fs/promises'
import { closureOf } from '../../distro/closure.js'
import { Transplant } from '../../layer/transplant.js'
import type { Store } from '../../store/store.js'
import { temporaryFolder } from '../../store/temporary.js'

/**
 * Programs of this machine (`closure:PROGRAM,PROGRAM`) with the files that they need, at their own paths in a folder, for as long as
 * it is held: what `builder copy --closure` copies. Throws as that does.
 */
export async function closureFolder(store: Store, where: string): Promise<{ readonly path: string } & AsyncDisposable> {
  const programs = where.replace(/^closure:/, '').split(',')
  const { files, links } = await closureOf(programs)
  const path = temporaryFolder(store)
  const remove = () => rm(path, { recursive: true, force: true })
  try {
    const transplant = new Transplant(path, { owner: { uid: 0, gid: 0 } })
    for (const link of links) transplant.link(link.target, link.path)
    for (const file of files) await transplant.file(file, file)
    transplant.finish()
  } catch (error) {
    await remove()
    throw error
  }
  return { path, [Symbol.asyncDispose]: remove }
}

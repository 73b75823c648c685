import { chmodSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlaceWork } from '../../containerfile/workshop.js'
import type { Store } from '../../store/store.js'
import { temporaryFolder } from '../../store/temporary.js'
import { add } from '../add.js'
import { copy } from '../copy.js'
import type { GlobalOptions } from '../global.js'
import type { PlacingOptions } from '../placing.js'

/** Does what a COPY or an ADD says, by the verbs of these names. Throws as they do. */
export async function placeFiles(store: Store, id: string, work: PlaceWork, here: GlobalOptions): Promise<void> {
  const { verb, sources, destination } = work
  if (work.files.length > 0) await placeTexts(store, id, work, here)
  if (sources.length === 0) return
  const options = { ...here, ...placing(work) }
  if (verb === 'copy') await copy(id, [...sources, destination], options)
  else {
    const { checksum, keepGitDir, unpack } = work
    const more = Object.fromEntries(
      Object.entries({ checksum, keepGitDir, unpack }).filter(([, value]) => value !== undefined),
    )
    await add(id, [...sources, destination], { ...options, ...more })
  }
}

/** Heredocs: files of these names, that nobody else ever sees. */
async function placeTexts(store: Store, id: string, work: PlaceWork, here: GlobalOptions): Promise<void> {
  const folder = temporaryFolder(store)
  try {
    for (const { name, content } of work.files) {
      writeFileSync(join(folder, name), content)
      // Whatever the caller's umask.
      chmodSync(join(folder, name), 0o644)
    }
    const names = work.files.map(({ name }) => name)
    const { from: _, context: __, ignorefile: ___, ...rest } = work
    await copy(id, [...names, work.destination], { ...here, ...placing({ ...rest, context: folder }) })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function placing({ from, context, ignorefile, chown, chmod, link, parents, exclude }: PlaceWork): PlacingOptions {
  const all = { from, contextdir: context, ignorefile, chown, chmod, link, parents, exclude }
  return { quiet: true, ...Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) }
}

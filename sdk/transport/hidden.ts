import { readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isAbandoned, temporaryPath } from '../store/temporary.js'

/**
 * A hidden path in a folder for what is not finished, named after its target and its owner. What earlier processes
 * left there for the same target when they were killed is removed; only those of this boot, for the folder may be
 * shared with another machine, whose processes cannot be judged from here.
 */
export async function hiddenPath(folder: string, target: string): Promise<string> {
  const own = basename(temporaryPath({ root: folder }))
  const boot = bootOf(own)
  const start = `.${target}.`
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const owner = name.startsWith(start) ? name.slice(start.length) : ''
    if (boot !== undefined && bootOf(owner) === boot && isAbandoned(owner))
      await rm(join(folder, name), { recursive: true, force: true })
  }
  return join(folder, `${start}${own}`)
}

function bootOf(owner: string): string | undefined {
  return /^\d+-\d+-\d+-([0-9a-f]{8})-[0-9a-f]{16}$/.exec(owner)?.[1]
}

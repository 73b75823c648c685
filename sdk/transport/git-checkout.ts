import { lstatSync, lutimesSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import type { GitAddress } from './git-address.js'
import type { Git } from './git-run.js'

/** What is checked out. */
export interface Checkout {
  readonly address: GitAddress
  /** For messages. */
  readonly name: string
}

/**
 * Writes the files of a commit that is there, and of its submodules, all with the commit's time, which it gives in seconds since
 * 1970. Throws `NOT_FOUND` when the commit has not the folder that is wanted, and what git throws.
 */
export async function checkOut(git: Git, folder: string, commit: string, { address, name }: Checkout): Promise<number> {
  await git(['checkout', '-q', '--force', '--detach', commit])
  if (address.submodules !== false && lstatSync(join(folder, '.gitmodules'), { throwIfNoEntry: false })?.isFile()) {
    // Submodules may be named from where this one came.
    await git(['remote', 'add', 'origin', address.url])
    await git(['submodule', 'update', '-q', '--init', '--recursive', '--depth=1'])
  }
  const time = Number(await git(['show', '-s', '--format=%ct', commit]))
  const subdir = bareName(address.subdir ?? '')
  checkFolder(folder, subdir, name)
  if (address.keepGitDir && subdir === '') await keepRepository(git, folder, address)
  else removeRepositories(folder)
  setTimes(folder, time)
  return time
}

/** A folder of the repository without `.` and outer slashes; empty for its top. */
export function bareName(subdir: string): string {
  return subdir
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
}

/** No link leads to it, for a link could lead anywhere. */
function checkFolder(folder: string, subdir: string, name: string): void {
  let path = folder
  for (const part of subdir.split('/').filter((one) => one !== '')) {
    path = join(path, part)
    const isFolder = part !== '..' && part !== '.git' && lstatSync(path, { throwIfNoEntry: false })?.isDirectory()
    if (isFolder) continue
    const reason = `the repository has no folder ${subdir}`
    throw new BuilderError('NOT_FOUND', { operation: 'fetch', object: name, reason, hint: 'check its name' })
  }
}

/** What tells when and by whom it was fetched goes; the address stays, without credentials. */
async function keepRepository(git: Git, folder: string, { url, ref }: GitAddress): Promise<void> {
  const remotes = await git(['remote'])
  if (remotes.trim() === '') await git(['remote', 'add', 'origin', url])
  if (ref?.kind === 'tag') await git(['update-ref', `refs/tags/${ref.name}`, 'refs/builder/fetched'])
  for (const line of (await git(['for-each-ref', '--format=%(refname)', 'refs/builder/'])).split('\n'))
    if (line !== '') await git(['update-ref', '-d', line])
  for (const part of ['FETCH_HEAD', 'logs']) rmSync(join(folder, '.git', part), { recursive: true, force: true })
}

function removeRepositories(folder: string | Buffer): void {
  const top = Buffer.from(folder)
  for (const entry of readdirSync(top, { withFileTypes: true, encoding: 'buffer' })) {
    const path = Buffer.concat([top, Buffer.from('/'), entry.name])
    if (entry.name.toString() === '.git') rmSync(path, { recursive: true, force: true })
    else if (entry.isDirectory()) removeRepositories(path)
  }
}

function setTimes(folder: string | Buffer, time: number): void {
  const top = Buffer.from(folder)
  for (const entry of readdirSync(top, { withFileTypes: true, encoding: 'buffer' })) {
    const path = Buffer.concat([top, Buffer.from('/'), entry.name])
    if (entry.isDirectory()) setTimes(path, time)
    else lutimesSync(path, time, time)
  }
  lutimesSync(top, time, time)
}

import { lstatSync, readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import { BuilderError } from '../errors.js'

/**
 * Where a path of a container is on this machine. Every symbolic link is read as the container would read it:
 * absolute links start at `root`, `..` stops there, so that nothing a container holds can name a file outside.
 * Parts that do not exist are kept as they are written. After path_resolution(7) with `root` as the root directory.
 *
 * @param root - Absolute path of the container's root directory; itself taken as it is.
 * @param path - Absolute path inside; a relative one counts from the root.
 * @param options - `followLast: false` keeps a link in the last part, as lstat(2) does. Default: followed.
 * @returns An absolute path that is `root` or below it.
 *
 * Throws `UNSAFE` after 40 links (ELOOP).
 */
export function resolveInRoot(root: string, path: string, options: { readonly followLast?: boolean } = {}): string {
  const inside: string[] = []
  const waiting = partsOf(path)
  let links = 0
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part === '..') {
      inside.pop()
      continue
    }
    inside.push(part)
    if (waiting.length === 0 && options.followLast === false) break
    const link = linkAt(posix.join(root, ...inside))
    if (link === undefined) continue
    if (++links > 40) throw tooManyLinks(path)
    if (link.startsWith('/')) inside.length = 0
    else inside.pop()
    waiting.push(...partsOf(link))
  }
  return posix.join(root, ...inside)
}

/** The parts of a path, last one first, so that the next one to walk is popped. */
function partsOf(path: string): string[] {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .reverse()
}

function linkAt(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined
}

function tooManyLinks(path: string): BuilderError {
  return new BuilderError('UNSAFE', {
    operation: 'resolve path',
    object: path,
    reason: 'it leads through more than 40 symbolic links',
    hint: 'check where the links in the container point',
  })
}

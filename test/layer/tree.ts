/** Describes a directory completely, so that two of them can be compared, and keeps what several tests need. */
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Applied, applyLayer } from '../../sdk/layer/apply.js'
import { layerStream } from '../../sdk/layer/pack.js'
import type { TarOptions } from '../../sdk/layer/tar.js'
import { getXattr, listXattrs } from '../../sdk/namespace/libc.js'
import { tempDir } from '../lane.js'
import { streamOf } from './tar-bytes.js'

/** One line for each file: name (latin1), type and mode, owner, time, links, attributes, content; `gone` for a whiteout. */
export function describeTree(root: string): string[] {
  const inodes = new Map<bigint, string>()
  const lines: string[] = []
  const visit = (name: string) => {
    const path = Buffer.from(`${root}/${name}`, 'latin1')
    const stats = lstatSync(path, { bigint: true })
    if (stats.isCharacterDevice() && stats.rdev === 0n) return lines.push(`${name}: gone`)
    const first = stats.isDirectory() ? undefined : inodes.get(stats.ino)
    inodes.set(stats.ino, name)
    const xattrs = listXattrs(path).map((key) => `${key}=${getXattr(path, key)?.toString('hex')}`)
    const about = [stats.mode.toString(8), `${stats.uid}:${stats.gid}`, stats.mtimeNs, ...xattrs]
    if (first !== undefined) about.push(`same as ${first}`)
    if (stats.isFile()) about.push(createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16))
    if (stats.isSymbolicLink()) about.push(`-> ${readlinkSync(path, 'latin1')}`)
    if (stats.isCharacterDevice() || stats.isBlockDevice()) about.push(`device ${stats.rdev}`)
    lines.push(`${name}: ${about.join(' ')}`)
    if (stats.isDirectory()) for (const child of readdirSync(path, 'latin1').sort()) visit(`${name}/${child}`)
    return undefined
  }
  visit('.')
  return lines
}

/** The bytes of a directory's layer. */
export async function tarBytes(directory: string, options: TarOptions = {}): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of layerStream(directory, options)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Unpacks a tar into a new directory. `chunk` is how many bytes come at a time. */
export async function unpack(
  t: Pick<TestContext, 'after'>,
  tar: Uint8Array,
  chunk?: number,
): Promise<{ directory: string; applied: Applied }> {
  const directory = join(tempDir(t), 'diff')
  mkdirSync(directory)
  return { directory, applied: await applyLayer(streamOf(tar, chunk), directory) }
}

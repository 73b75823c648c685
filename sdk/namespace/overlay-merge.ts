import { execFile } from 'node:child_process'
import { type Dirent, lstatSync, mkdirSync, readdirSync, rmSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { BuilderError } from '../errors.js'
import { listXattrs, removeXattr, setMtime } from './libc.js'
import { childOf, dropMarks, isOpaque, isWhiteout } from './overlay-marks.js'

/**
 * Makes a new folder that holds what an overlay of the layers, bottom first, would show. Hard links stay within a layer.
 * Throws `SYSTEM`.
 */
export async function mergeLayers(layers: readonly string[], into: string): Promise<void> {
  mkdirSync(into)
  for (const layer of layers) {
    const marks: Marks = { gone: [], opaque: [] }
    makeRoom(Buffer.from(layer), Buffer.from(into), marks)
    await copyTree(layer, into)
    for (const folder of marks.opaque) dropMarks(folder)
    for (const path of marks.gone) removeKeepingTime(path)
  }
}

interface Marks {
  readonly gone: Buffer[]
  readonly opaque: Buffer[]
}

/** Removes from the target what the layer hides or replaces by something of another kind. */
function makeRoom(layer: Buffer, target: Buffer, marks: Marks): void {
  const entries: Dirent<Buffer>[] = readdirSync(layer, { withFileTypes: true, encoding: 'buffer' })
  for (const entry of entries) {
    const [from, to] = [childOf(layer, entry.name), childOf(target, entry.name)]
    const old = lstatSync(to, { throwIfNoEntry: false })
    if (entry.isDirectory()) {
      const opaque = isOpaque(from)
      if (opaque) marks.opaque.push(to)
      if (old && (opaque || !old.isDirectory())) rmSync(to, { recursive: true })
      else if (old) for (const name of listXattrs(to)) removeXattr(to, name)
      makeRoom(from, to, marks)
    } else {
      const gone = entry.isCharacterDevice() && isWhiteout(from)
      if (gone) marks.gone.push(to)
      if (old && (gone || old.isDirectory())) rmSync(to, { recursive: true })
    }
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  try {
    // A name of the target may be a hard link: it is replaced and not written through.
    await promisify(execFile)('cp', ['-a', '--reflink=auto', '--remove-destination', '-T', from, to])
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim().split('\n')[0] ?? ''
    const full = said.includes('No space left on device')
    throw new BuilderError('SYSTEM', {
      operation: 'copy layer',
      object: from,
      reason: full ? 'the disk is full' : said || 'cp cannot be started',
      hint: full ? 'free some space (builder prune, builder rmi) and try again' : 'see builder info for other drivers',
      cause,
    })
  }
}

function removeKeepingTime(path: Buffer): void {
  const parent = Buffer.from(dirname(path.toString('latin1')), 'latin1')
  const { mtimeNs } = lstatSync(parent, { bigint: true })
  unlinkSync(path)
  setMtime(parent, mtimeNs)
}

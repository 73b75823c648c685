import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import { parseDigest } from '../image/digest.js'
import { isArchive, unpackArchive } from '../layer/archive.js'
import { checkFile, fetchFile, saveStream } from '../layer/fetch.js'
import { withoutIgnored } from '../layer/left-out.js'
import { findSources } from '../layer/sources.js'
import { Transplant } from '../layer/transplant.js'
import { caller } from '../namespace/caller.js'
import { findContainer } from '../store/containers.js'
import { useRoot } from '../store/mounts.js'
import { openStore } from '../store/store.js'
import { temporaryFolder } from '../store/temporary.js'
import type { CopyResult } from './copy.js'
import { otherRoot } from './other-root.js'
import { contextRules, copyAll, destinationOf, noteHistory, type PlacingOptions, placing } from './placing.js'

/** Options of {@link add}. */
export interface AddOptions extends PlacingOptions {
  /**
   * Digest that the source must have; there may be one source only.
   * @placeholder sha256:HEX
   */
  checksum?: string
  /** Unpack archives (the default for files of this machine), or leave them as files with --no-unpack. @negatable */
  unpack?: boolean
}

/**
 * Copies files into a container, unpacks tar archives, fetches URLs.
 *
 * What {@link copy} does, and: a tar archive of this machine (plain, gzip, bzip2, xz, zstd) is unpacked into the
 * destination with its owners; `http://` and `https://` sources are fetched, with mode 0600 unless --chmod says otherwise;
 * `-` is a tar archive on standard input.
 *
 * Throws what copy throws; `DIGEST` when --checksum does not fit; `UNSAFE` for an archive that would write outside.
 *
 * @verb
 * @where inside
 * @stdout The digest of what was added.
 * @param container - Name or ID of a container.
 * @param paths - Sources, and the destination last.
 * @example
 * ```sh
 * builder add "$c" rootfs.tar.gz /
 * ```
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * await c.add('rootfs.tar.gz', '/')
 * ```
 */
export async function add(container: string, paths: readonly string[], options: AddOptions = {}): Promise<CopyResult> {
  const store = await openStore(options)
  const record = await findContainer(store, container, 'add')
  const sources = paths.length > 1 ? paths.slice(0, -1) : paths
  checkCall(sources, options)
  const scratch = temporaryFolder(store)
  try {
    await using root = await useRoot(store, record.id, options.signal)
    await using other = options.from === undefined ? undefined : await otherRoot(store, options.from, options.signal)
    const transplant = new Transplant(root.path, await placing(root.path, options))
    const adding: Adding = {
      transplant,
      options,
      scratch,
      destination: destinationOf(record, paths),
      many: sources.length > 1,
    }
    for (const [i, source] of sources.entries()) await addOne(adding, source, join(scratch, `${i}`), other?.path)
    const digest = transplant.finish()
    if (options.addHistory) await noteHistory(store, record, `ADD ${digest} in ${paths.at(-1)}`)
    return { digest }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** What the shell door prints. */
export function present(result: CopyResult, options: AddOptions): string {
  return options.quiet || options.addHistory ? '' : result.digest
}

interface Adding {
  readonly transplant: Transplant
  readonly options: AddOptions
  readonly scratch: string
  readonly destination: string
  readonly many: boolean
}

async function addOne(adding: Adding, source: string, scratch: string, root: string | undefined): Promise<void> {
  const { transplant, options, destination } = adding
  const signal = options.signal ? { signal: options.signal } : {}
  if (/^https?:\/\//.test(source)) {
    const { path, name } = await fetchFile(source, scratch, { ...checksumOf(options), ...signal })
    const fetched = { path, name, isDirectory: false, fromTop: name }
    return copyAll(transplant, [fetched], adding.many ? folder(destination) : destination, options)
  }
  if (source === '-') {
    const path = await saveStream(caller().stdin(), scratch, signal)
    return unpack(adding, path, source, `${scratch}.d`)
  }
  const found = findSources([source], root ?? options.contextdir, 'add')
  for (const one of withoutIgnored(found, [source], await contextRules(options), 'add')) {
    if (options.checksum !== undefined) await checkFile(one.path, parseDigest(options.checksum), source)
    const plain = one.isDirectory || root !== undefined || options.unpack === false || !(await isArchive(one.path))
    if (plain) await copyAll(transplant, [one], adding.many ? folder(destination) : destination, options)
    else await unpack(adding, one.path, source, `${scratch}.d`)
  }
}

/** An archive is unpacked where no link of the container can misdirect it, and its files are then placed one by one. */
async function unpack({ transplant, options, destination }: Adding, file: string, shown: string, into: string) {
  await unpackArchive(file, into, { shown, ...(options.signal ? { signal: options.signal } : {}) })
  await transplant.contents(into, destination, options.chown === undefined ? 'kept' : 'given')
}

function folder(destination: string): string {
  return destination.endsWith('/') ? destination : `${destination}/`
}

function checksumOf({ checksum }: AddOptions) {
  return checksum === undefined ? {} : { checksum: parseDigest(checksum) }
}

function checkCall(sources: readonly string[], { checksum }: AddOptions): void {
  const reason = sources.length === 0 ? 'no source is named' : 'there is more than one source for one --checksum'
  if (sources.length === 1 || (sources.length > 1 && checksum === undefined)) return
  throw new BuilderError('USAGE', {
    operation: 'add',
    object: '',
    reason,
    hint: 'write builder add CONTAINER SOURCE… DESTINATION',
  })
}

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { placeText } from '../containerfile/place-text.js'
import { BuilderError } from '../errors.js'
import { parseDigest } from '../image/digest.js'
import { isArchive, unpackArchive } from '../layer/archive.js'
import { checkFile, fetchFile, saveStream } from '../layer/fetch.js'
import { withoutIgnored } from '../layer/left-out.js'
import { findSources, type Source } from '../layer/sources.js'
import { Transplant } from '../layer/transplant.js'
import { caller } from '../namespace/caller.js'
import type { Content } from '../steps/content.js'
import { type ContainerRecord, findContainer } from '../store/containers.js'
import { useRoot } from '../store/mounts.js'
import { openStore, type Store } from '../store/store.js'
import { temporaryFolder } from '../store/temporary.js'
import { fetchGit, type GitOptions, isGitAddress } from '../transport/git.js'
import type { CopyResult } from './copy.js'
import { contextRules, copyAll, destinationOf, noteHistory, type PlacingOptions, placing } from './placing.js'
import { type LazyRoot, lazyRoot } from './run/other-root.js'
import { byOrigin, placingInputs, readContent, withoutNames } from './step/place.js'
import { beginStep, type StepDone, type StepWish } from './step/step.js'

/** Options of {@link add}. */
export interface AddOptions extends PlacingOptions {
  /**
   * Digest that the source must have, or the commit of a git repository; there may be one source only.
   * @placeholder sha256:HEX
   */
  checksum?: string
  /** Leave `.git` in the files of a git repository. */
  keepGitDir?: boolean
  /** Unpack archives (the default for files of this machine), or leave them as files with --no-unpack. @negatable */
  unpack?: boolean
}

/**
 * Copies files into a container, unpacks tar archives, fetches URLs.
 *
 * What {@link copy} does, and: a tar archive of this machine (plain, gzip, bzip2, xz, zstd) is unpacked into the
 * destination with its owners; `http://` and `https://` sources are fetched, with mode 0600 unless --chmod says otherwise;
 * `-` is a tar archive on standard input; of a git repository (`https://HOST/NAME.git#REF:FOLDER`) the files of one commit are
 * added, with the time of the commit.
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
  const asked = paths.length > 1 ? paths.slice(0, -1) : paths
  checkCall(asked, options)
  const scratch = temporaryFolder(store)
  try {
    await using from = lazyRoot(store, 'add --from', options)
    const adding: Adding = { store, record, paths, asked, options, scratch, from, read: {} }
    const step = await beginStep(store, record, wishOf(adding), options.signal)
    if (step?.hit) return { digest: step.hit.output?.stdout ?? '' }
    let done: StepDone = { state: 'failed' }
    try {
      const digest = await place(adding)
      const changed = (await adding.read.content?.unchanged()) === false
      const unkept = changed ? 'a file changed while it was copied' : undefined
      done = { state: 'done', unkept, output: { stdout: digest, stderr: '', exitCode: 0 } }
      return { digest }
    } finally {
      await step?.end(done)
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** What the shell door prints. */
export function present(result: CopyResult, options: AddOptions): string {
  return options.quiet || options.addHistory ? '' : result.digest
}

interface Adding {
  readonly store: Store
  readonly record: ContainerRecord
  readonly paths: readonly string[]
  /** The paths without the destination. */
  readonly asked: readonly string[]
  readonly options: AddOptions
  readonly scratch: string
  readonly from: LazyRoot
  /** What is known of the sources once they were looked at. */
  readonly read: { found?: readonly Added[]; content?: Content }
}

/** A source as it is on this machine now, fetched when it was not. */
interface Added extends Source {
  /** What to call it in a message. */
  readonly shown: string
  readonly kind: 'file' | 'archive'
}

async function place(adding: Adding): Promise<string> {
  const { store, record, paths, options, asked } = adding
  await using root = await useRoot(store, record.id, options.signal)
  const transplant = new Transplant(root.path, await placing(root.path, options))
  const destination = destinationOf(record, paths)
  const sources = await sourcesOf(adding)
  const isMany = asked.length > 1 || sources.length > 1
  for (const [i, source] of sources.entries()) {
    if (source.kind === 'archive') await unpack(transplant, source, destination, adding, i)
    else await copyAll(transplant, [source], isMany ? folder(destination) : destination, options)
  }
  const digest = transplant.finish()
  if (options.addHistory) await noteHistory(store, record, `ADD ${digest} in ${paths.at(-1)}`)
  return digest
}

function wishOf(adding: Adding): StepWish {
  const { store, record, paths, asked, options } = adding
  const { checksum: _, ...rest } = options
  const inputs = { ...placingInputs(destinationOf(record, paths), rest), many: asked.length > 1 }
  const bySources = async () => {
    const sources = await sourcesOf(adding)
    adding.read.content = await readContent(store, sources, await placing('/', withoutNames(options)), options)
    const archives = sources.map(({ kind }) => kind === 'archive')
    return { ...inputs, archives, sources: adding.read.content.digest }
  }
  return {
    verb: 'add',
    said: `add ${paths.join(' ')}`,
    inputs: options.from === undefined ? [bySources] : [() => byOrigin(store, options, paths, inputs), bySources],
    createdBy: (digest) => `/bin/sh -c #(nop) ADD ${digest} in ${paths.at(-1)}`,
    told: placeText('ADD', asked, destinationOf(record, paths)),
  }
}

/** Finds the sources, and fetches what is not on this machine; once only. */
async function sourcesOf(adding: Adding): Promise<readonly Added[]> {
  if (adding.read.found) return adding.read.found
  const found: Added[] = []
  for (const [i, source] of adding.asked.entries())
    found.push(...(await find(adding, source, `${adding.scratch}/${i}`)))
  if (found.length === 0) throw nothingFits(adding.asked)
  adding.read.found = found
  return found
}

async function find({ options, from, asked }: Adding, shown: string, scratch: string): Promise<readonly Added[]> {
  const signal = options.signal ? { signal: options.signal } : {}
  if (options.from === undefined && isRepository(shown)) {
    await fetchGit(shown, scratch, gitOptions(options))
    return [{ path: scratch, name: '', isDirectory: true, fromTop: '', shown, kind: 'file' }]
  }
  if (/^https?:\/\//.test(shown)) {
    const { path, name } = await fetchFile(shown, scratch, { ...checksumOf(options), ...signal })
    const kind = options.unpack === true && (await isArchive(path)) ? 'archive' : 'file'
    return [{ path, name, isDirectory: false, fromTop: name, shown, kind }]
  }
  if (shown === '-') {
    const path = await saveStream(caller().stdin(), scratch, signal)
    return [{ path, name: '', isDirectory: false, fromTop: '', shown, kind: 'archive' }]
  }
  const root = await from.path()
  const added: Added[] = []
  const all = findSources([shown], root ?? options.contextdir, 'add', { mayBeNone: asked.length > 1 })
  for (const found of withoutIgnored(all, [shown], await contextRules(options), 'add')) {
    if (options.checksum !== undefined) await checkFile(found.path, parseDigest(options.checksum), shown)
    const plain = found.isDirectory || root !== undefined || options.unpack === false || !(await isArchive(found.path))
    added.push({ ...found, shown, kind: plain ? 'file' : 'archive' })
  }
  return added
}

function nothingFits(asked: readonly string[]): BuilderError {
  const hint = 'check the patterns'
  return new BuilderError('NOT_FOUND', { operation: 'add', object: asked.join(' '), reason: 'nothing fits', hint })
}

/** An archive is unpacked where no link of the container can misdirect it, and its files are then placed one by one. */
async function unpack(
  transplant: Transplant,
  { path, shown }: Added,
  destination: string,
  { scratch, options }: Adding,
  i: number,
): Promise<void> {
  const into = join(scratch, `${i}.unpacked`)
  await unpackArchive(path, into, { shown, ...(options.signal ? { signal: options.signal } : {}) })
  await transplant.contents(into, destination, options.chown === undefined ? 'kept' : 'given')
}

/** `github.com/…` is a context; here it is a file of that name. */
function isRepository(source: string): boolean {
  return isGitAddress(source) && !source.startsWith('github.com/')
}

function gitOptions({ checksum, keepGitDir, signal }: AddOptions): GitOptions {
  return {
    ...(checksum === undefined ? {} : { checksum }),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
    ...(signal ? { signal } : {}),
  }
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

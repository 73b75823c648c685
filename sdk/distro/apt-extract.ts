import { BuilderError } from '../errors.js'
import { readable } from '../layer/names.js'
import type { FetchedDeb } from './apt-archives.js'
import { namesIn } from './control.js'
import { type DebControl, readDebControl, readDebFiles } from './deb.js'
import { type DebSelection, isLeftOut } from './deb-left-out.js'
import { DebTree } from './deb-tree.js'
import { type InstalledDeb, listFolder, mergedFolders, pathsOf, statusFolder } from './dpkg-root.js'

/** What is done to a root without a package manager. */
export interface Extraction {
  readonly operation: string
  readonly files: readonly FetchedDeb[]
  /** Names of packages that go. */
  readonly removed: readonly string[]
  readonly architecture: string
  /** What the root has now. */
  readonly installed: readonly InstalledDeb[]
  readonly selection: DebSelection
  /** Seconds since 1970; absent: when the youngest of the packages was built. */
  readonly epoch?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Unpacks packages into a root as they are: nothing is executed, and what their maintainer scripts would have done is not done.
 * Says in `status.d` what is there, as images without a package manager do, for `builder packages` and for scanners.
 * Packages that go, and the files that a new version has no more, are removed. The same packages give the same files.
 *
 * Throws `INVALID` for two packages with the same file, `ID_MAP` for an owner outside the id map, `UNSAFE`, `SYSTEM`.
 */
export async function extractPackages(root: string, extraction: Extraction): Promise<void> {
  const { operation, files, removed, architecture, installed, selection, epoch, signal } = extraction
  const controls = new Map<string, DebControl>()
  for (const { name, path } of files) controls.set(name, await readDebControl(path, operation, signal))
  const youngest = Math.max(0, ...[...controls.values()].map(({ built }) => built))
  const owners = new Owners(root, installed, controls, operation)
  const tree = new DebTree(root, {
    operation,
    newest: BigInt(epoch ?? youngest) * 1_000_000_000n,
    leavesOut: (path) => isLeftOut(path, selection),
    mayPlace: (place, isThere) => owners.take(place, isThere),
  })
  removePackages(tree, root, installed, new Set([...removed, ...controls.keys()]))
  if (files.length > 0) mergeUsr(tree, architecture)
  for (const { name, path } of files) {
    owners.current = name
    const paths = await unpack(tree, path, operation, selection, signal)
    record(tree, name, controls.get(name) as DebControl, paths, selection)
  }
  tree.finish()
}

async function unpack(
  tree: DebTree,
  path: string,
  operation: string,
  selection: DebSelection,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const paths: string[] = []
  await readDebFiles(path, operation, signal, (member) => {
    const name = member.name.replace(/^(\.?\/)+/, '').replace(/\/$/, '')
    if (name !== '' && name !== '.' && !isLeftOut(readable(name), selection)) paths.push(name)
    return tree.place(member)
  })
  return paths
}

function mergeUsr(tree: DebTree, architecture: string): void {
  for (const name of mergedFolders(architecture)) {
    tree.folder(`usr/${name}`)
    tree.link(name, `usr/${name}`)
  }
}

/** Removes all that packages have, what is deepest first, but for what another one has too. */
function removePackages(
  tree: DebTree,
  root: string,
  installed: readonly InstalledDeb[],
  going: ReadonlySet<string>,
): void {
  const names = installed.map(({ name }) => name)
  const gone = new Set<string>(names.filter((name) => going.has(name)).flatMap((name) => pathsOf(root, name)))
  if (gone.size === 0) return
  for (const name of names) if (!going.has(name)) for (const path of pathsOf(root, name)) gone.delete(path)
  for (const path of [...gone].sort().reverse()) tree.remove(path)
  for (const name of names.filter((one) => going.has(one)))
    for (const file of [`${statusFolder}/${name}`, `${statusFolder}/${name}.md5sums`, `${listFolder}/${name}.list`])
      tree.remove(file)
}

function record(
  tree: DebTree,
  name: string,
  control: DebControl,
  paths: readonly string[],
  selection: DebSelection,
): void {
  const sums = control.md5sums.split('\n').filter((line) => line !== '' && !isLeftOut(line.slice(34).trim(), selection))
  const list = ['/.', ...paths.map((path) => `/${path}`)]
  tree.write(`${statusFolder}/${name}`, Buffer.from(`${control.text.trim()}\n`))
  tree.write(`${statusFolder}/${name}.md5sums`, Buffer.from(sums.map((line) => `${line}\n`).join('')))
  tree.write(`${listFolder}/${name}.list`, Buffer.from(list.map((line) => `${line}\n`).join(''), 'latin1'))
}

/** Knows whose file is whose, so that two packages with the same file are noticed, as by dpkg. */
class Owners {
  current = ''
  readonly #taken = new Map<string, string>()
  readonly #replaces = new Map<string, ReadonlySet<string>>()

  constructor(
    readonly root: string,
    readonly installed: readonly InstalledDeb[],
    controls: ReadonlyMap<string, DebControl>,
    readonly operation: string,
  ) {
    for (const { name, fields } of installed) this.#replaces.set(name, new Set(namesIn(fields.get('replaces'))))
    for (const [name, { fields }] of controls) this.#replaces.set(name, new Set(namesIn(fields.get('replaces'))))
    for (const { name } of installed.filter((one) => !controls.has(one.name)))
      for (const path of pathsOf(root, name)) {
        this.#taken.set(path, name)
        // As it is in a root whose top folders are links into /usr.
        if (/^(s?bin|lib\w*)\//.test(path)) this.#taken.set(`usr/${path}`, name)
      }
  }

  /** False where another package's file stays. Source: Debian Policy 7.6.1, "Overwriting files in other packages". */
  take(place: string, isThere: boolean): boolean {
    const other = isThere ? this.#taken.get(place) : undefined
    if (other === undefined || other === this.current || this.#replaces.get(this.current)?.has(other)) {
      this.#taken.set(place, this.current)
      return true
    }
    if (this.#replaces.get(other)?.has(this.current)) return false
    throw new BuilderError('INVALID', {
      operation: this.operation,
      object: readable(`/${place}`),
      reason: `the packages ${other} and ${this.current} both bring it`,
      hint: 'leave one of them out, or use --mode full, where their scripts may move it away',
    })
  }
}

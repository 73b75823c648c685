import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { resolveInRoot } from '../namespace/rooted-path.js'
import { type Paragraph, parseParagraph, splitParagraphs } from './control.js'

/** A package that a root has. */
export interface InstalledDeb {
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** Its paragraph, as it stands. */
  readonly text: string
  readonly fields: Paragraph
}

/**
 * What of Debian a root holds. `system`: a dpkg that can run, with its database. `extracted`: packages whose files were only
 * unpacked, told in `status.d`, as images without a package manager have it. `empty`: no file at all. `other`: something else.
 */
export type DpkgRoot =
  | { readonly kind: 'system'; readonly packages: readonly InstalledDeb[] }
  | { readonly kind: 'extracted'; readonly packages: readonly InstalledDeb[] }
  | { readonly kind: 'empty' | 'other'; readonly packages: readonly [] }

/** Reads what a root holds; executes nothing. */
export function readDpkgRoot(root: string): DpkgRoot {
  const system = splitParagraphs(textAt(root, '/var/lib/dpkg/status'))
    .map(installedOf)
    .filter(({ fields }) => / installed$/.test(fields.get('status') ?? ''))
  if (system.length > 0) return { kind: 'system', packages: system }
  const extracted = namesIn(root, statusFolder)
    .filter((name) => !name.endsWith('.md5sums'))
    .map((name) => installedOf(textAt(root, `/${statusFolder}/${name}`)))
    .filter(({ name }) => name !== '')
  if (extracted.length > 0) return { kind: 'extracted', packages: extracted }
  return { kind: readdirSync(root).length === 0 ? 'empty' : 'other', packages: [] }
}

/** Where images without dpkg say what packages they have, a file for each. */
export const statusFolder = 'var/lib/dpkg/status.d'

/** Where the paths of each package are, as dpkg itself has them. */
export const listFolder = 'var/lib/dpkg/info'

/**
 * Top folders that are links into /usr, as every release since Debian 12 has it and the loader expects it; before trixie no package
 * brings these links. Source: Debian wiki, UsrMerge.
 */
export function mergedFolders(architecture: string): readonly string[] {
  const isWide = ['amd64', 'loong64', 'ppc64', 'ppc64el'].includes(architecture)
  return ['bin', 'lib', 'sbin', ...(isWide ? ['lib64'] : [])]
}

/** A status file for apt, of packages that were only extracted. */
export function statusText(packages: readonly InstalledDeb[]): string {
  return packages.map(({ text }) => `${withStatus(text.trim())}\n`).join('\n')
}

/** The paths of an extracted package, relative to the root, as latin1; a folder comes before what is in it. */
export function pathsOf(root: string, name: string): readonly string[] {
  return textAt(root, `/${listFolder}/${name}.list`, 'latin1')
    .split('\n')
    .map((line) => line.replace(/^\/\.?/, ''))
    .filter((line) => line !== '')
}

/** The `ID` and `VERSION_CODENAME` of a root. Source: os-release(5). */
export function releaseOf(root: string): { readonly id?: string; readonly codename?: string } {
  const text = textAt(root, '/etc/os-release') || textAt(root, '/usr/lib/os-release')
  const fieldOf = (name: string) => new RegExp(`^${name}=["']?([\\w.-]+)`, 'm').exec(text)?.[1]
  const [id, codename] = [fieldOf('ID'), fieldOf('VERSION_CODENAME')]
  return { ...(id ? { id } : {}), ...(codename ? { codename } : {}) }
}

function installedOf(text: string): InstalledDeb {
  const fields = parseParagraph(text)
  const fieldOf = (name: string) => fields.get(name) ?? ''
  return {
    name: fieldOf('package'),
    version: fieldOf('version'),
    architecture: fieldOf('architecture'),
    text,
    fields,
  }
}

function withStatus(text: string): string {
  return /^Status:/m.test(text) ? text : text.replace(/^(Package:.*)$/m, '$1\nStatus: install ok installed')
}

function namesIn(root: string, folder: string): readonly string[] {
  const path = resolveInRoot(root, `/${folder}`)
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(path).sort() : []
}

/** Empty where there is none. A container's link cannot lead out of its root. */
function textAt(root: string, path: string, encoding: 'utf8' | 'latin1' = 'utf8'): string {
  const real = resolveInRoot(root, path)
  return lstatSync(real, { throwIfNoEntry: false })?.isFile() ? readFileSync(real, encoding) : ''
}

import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { copyFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import { needProgram } from '../runtime/programs.js'
import { runApart } from './apt-apart.js'
import type { FetchedDeb } from './apt-archives.js'
import { readDebControl } from './deb.js'
import { type DebSelection, pathOptions } from './deb-left-out.js'
import { scriptFailure } from './dpkg-failure.js'
import { mergedFolders, readDpkgRoot } from './dpkg-root.js'
import { changesSince, clampChanges, tidySystem } from './dpkg-tidy.js'

/** What is done to a root whose packages have their scripts executed. */
export interface FullInstall {
  readonly operation: string
  /** All that is to be installed; in an empty root the essential packages among them. */
  readonly files: readonly FetchedDeb[]
  /** Names of packages that go, with their configuration. */
  readonly removed: readonly string[]
  readonly architecture: string
  readonly selection: DebSelection
  /** Seconds since 1970; absent: when the youngest of the packages was built. */
  readonly epoch?: number | undefined
  /** A folder for what is needed meanwhile. */
  readonly folder: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Installs packages with the host's apt and dpkg; their maintainer scripts are executed in the root, in mount, process and network
 * namespaces of their own, and start no service. An empty root gets an essential system first. The only source is a folder with
 * exactly the given files, so that nothing else can come in. The same packages give the same files.
 *
 * Throws `RUN` with the end of its output for a script that fails, `ID_MAP`, `UNSUPPORTED` without mmdebstrap, `SYSTEM`.
 */
export async function installFully(root: string, install: FullInstall): Promise<void> {
  const { files, operation, signal } = install
  const repository = join(install.folder, 'repository')
  const youngest = await writeRepository(repository, files, operation, signal)
  const epoch = install.epoch ?? youngest
  const changes = await changesSince(install.folder)
  const isNew = readdirSync(root).length === 0
  if (isNew) await layEssentials(root, install, repository, epoch)
  const there = new Set(readDpkgRoot(root).packages.map(keyOf))
  const missing = files.filter((file) => !there.has(keyOf(file)))
  if (missing.length > 0 || install.removed.length > 0) await transact(root, install, missing, repository, epoch)
  tidySystem(root, repository, changes)
  clampChanges(root, changes, epoch)
}

/** Gives when the youngest of the packages was built. Source: Debian wiki, DebianRepository/Format, "Flat Repository Format". */
async function writeRepository(
  folder: string,
  files: readonly FetchedDeb[],
  operation: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  mkdirSync(folder)
  let youngest = 0
  const paragraphs: string[] = []
  for (const { name, architecture, path, sha256 } of files) {
    const file = `${name}_${architecture}.deb`
    try {
      linkSync(path, join(folder, file))
    } catch {
      await copyFile(path, join(folder, file))
    }
    const { text, built } = await readDebControl(path, operation, signal)
    const { size } = await stat(path)
    paragraphs.push(`${text.trim()}\nFilename: ./${file}\nSize: ${size}\nSHA256: ${sha256}\n`)
    youngest = Math.max(youngest, built)
  }
  writeFileSync(join(folder, 'Packages'), paragraphs.join('\n'))
  return youngest
}

async function layEssentials(root: string, install: FullInstall, repository: string, epoch: number): Promise<void> {
  const { architecture, selection, operation } = install
  const mmdebstrap = needProgram('mmdebstrap', 'mmdebstrap', operation)
  const dpkgOptions = ['--force-unsafe-io', ...pathOptions(selection)].map((option) => `--dpkgopt=${option.slice(2)}`)
  const words = [
    '--quiet',
    '--mode=root',
    '--variant=essential',
    '--format=directory',
    `--architectures=${architecture}`,
  ]
  const merge = `--setup-hook=for folder in ${mergedFolders(architecture).join(' ')}; do ${mergeFolder}; done`
  const source = `deb [trusted=yes] copy:${repository.replace(/[^\w./~-]/g, encodeURIComponent)} ./`
  const ran = await runApart(root, install, epoch, {}, 'bare', [
    mmdebstrap,
    ...words,
    ...dpkgOptions,
    merge,
    '',
    root,
    source,
  ])
  if (ran.code !== 0) throw scriptFailure(ran, operation, 'the essential packages')
  // Root's mmdebstrap makes devices, and a user's cannot.
  for (const name of readdirSync(join(root, 'dev'))) rmSync(join(root, 'dev', name), { recursive: true })
}

/** `$1` is the root. Source: mmdebstrap(1), --setup-hook. */
const mergeFolder = 'mkdir -p "$1/usr/$folder"; ln -s "usr/$folder" "$1/$folder"'

async function transact(
  root: string,
  install: FullInstall,
  files: readonly FetchedDeb[],
  repository: string,
  epoch: number,
): Promise<void> {
  const { operation, removed } = install
  const env = { APT_CONFIG: writeConfiguration(root, install, repository) }
  const lists = await runApart(root, install, epoch, env, 'bare', ['apt-get', '-q', 'update'])
  if (lists.code !== 0) throw scriptFailure(lists, operation, 'the packages')
  const wanted = files.map(({ name, architecture, version }) => `${name}:${architecture}=${version}`)
  const flags = [
    '-q',
    '-y',
    '--purge',
    '--allow-downgrades',
    '--allow-remove-essential',
    '--allow-change-held-packages',
  ]
  const words = ['apt-get', ...flags, 'install', ...wanted, ...removed.map((name) => `${name}-`)]
  const ran = await runApart(root, install, epoch, env, 'full', words)
  const names = files.map(({ name }) => name).join(' ')
  if (ran.code !== 0 || /^dpkg: error /m.test(ran.said)) throw scriptFailure(ran, operation, names || removed.join(' '))
  const there = new Set(readDpkgRoot(root).packages.map(keyOf))
  const lost = files.find((file) => !there.has(keyOf(file)))
  if (lost) throw scriptFailure(ran, operation, lost.name)
}

/** A configuration of the host's apt for this transaction. Source: apt.conf(5). */
function writeConfiguration(
  root: string,
  { folder, architecture, selection }: FullInstall,
  repository: string,
): string {
  const place = join(folder, 'transaction')
  for (const name of ['etc/apt.conf.d', 'etc/preferences.d', 'lists/partial', 'archives/partial'])
    mkdirSync(join(place, name), { recursive: true })
  const uri = repository.replace(/[^\w./~-]/g, encodeURIComponent)
  writeFileSync(join(place, 'etc/sources.list'), `deb [trusted=yes] file:${uri} ./\n`)
  const options = [
    `--root=${root}`,
    '--force-unsafe-io',
    '--force-confdef',
    '--force-confold',
    ...pathOptions(selection),
  ]
  const path = join(place, 'apt.conf')
  writeFileSync(path, configurationText(root, place, architecture, options))
  return path
}

function configurationText(root: string, place: string, architecture: string, options: readonly string[]): string {
  return `Dir "/";
Dir::Etc "${place}/etc";
Dir::Etc::main "${place}/etc/none";
Dir::Etc::parts "${place}/etc/apt.conf.d";
Dir::Etc::sourceparts "${place}/etc/none.d";
Dir::State "${place}";
Dir::State::lists "${place}/lists";
Dir::State::status "${root}/var/lib/dpkg/status";
Dir::State::extended_states "${place}/extended_states";
Dir::Cache "${place}";
Dir::Cache::archives "${place}/archives";
Dir::Cache::srcpkgcache "";
Dir::Cache::pkgcache "";
Dir::Log "${place}";
APT::Sandbox::User "root";
APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Install-Recommends "false";
Acquire::Languages "none";
Dpkg::Use-Pty "false";
pkgCacheGen::ForceEssential ",";
DPkg::Options { ${options.map((option) => `"${option}";`).join(' ')} };
`
}

function keyOf({ name, version, architecture }: { name: string; version: string; architecture: string }): string {
  return `${name}:${architecture}=${version}`
}

/** Throws `UNSUPPORTED` where the host cannot lay an essential system. */
export function needMmdebstrap(operation: string, architecture: string, own: string): void {
  needProgram('mmdebstrap', 'mmdebstrap', operation)
  if (architecture === own || existsSync('/proc/sys/fs/binfmt_misc/status')) return
  throw new BuilderError('UNSUPPORTED', {
    operation,
    object: architecture,
    reason: `this machine (${own}) cannot execute the packages' scripts`,
    hint: 'use --mode extract, or install the package qemu-user-static',
  })
}

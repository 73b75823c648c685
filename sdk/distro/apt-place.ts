import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import { needProgram } from '../runtime/programs.js'
import type { Store } from '../store/store.js'
import { temporaryFolder } from '../store/temporary.js'
import { type AptSources, sourcesText } from './apt-sources.js'
import { type HostRan, runOnHost } from './host-run.js'

/** What decides how apt works, beside where packages come from. */
export interface AptSettings {
  /** As Debian names it: `amd64`. */
  readonly architecture: string
  readonly recommends: boolean
  /** Packages that are as if no source had them. */
  readonly exclude: readonly string[]
}

/** A configuration for the host's apt that is nobody else's. Dispose of it when the work is over. */
export interface AptPlace extends Disposable {
  readonly folder: string
  /** Names the lists of packages that the sources have, which are shared by all who use the same. */
  readonly key: string
  /** True when lists were fetched before. */
  readonly hasLists: () => boolean
  /** Runs one of apt's programs. Never throws for an exit code. */
  run(argv: readonly string[], options: { operation: string; signal?: AbortSignal | undefined }): Promise<HostRan>
}

/**
 * Makes a folder in which the host's apt works with the given sources and nothing of the host's configuration: neither its sources,
 * keys, pins and hooks (but with the host's sources: its keys, and how it reaches them), nor its state.
 *
 * @param status - The dpkg status of the packages that are there.
 */
export async function openAptPlace(
  store: Store,
  sources: AptSources,
  settings: AptSettings,
  status: string,
  operation: string,
): Promise<AptPlace> {
  needApt(operation)
  if (store.root.includes('"')) throw quoted(store.root, operation)
  const key = keyOf(sources, settings)
  const lists = join(store.root, 'cache/apt/lists', key)
  const folder = temporaryFolder(store)
  try {
    mkdirSync(join(lists, 'lists/partial'), { recursive: true, mode: 0o700 })
    for (const name of folders) mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, 'status'), status)
    writeSources(folder, sources)
    writeFileSync(join(folder, 'etc/preferences'), settings.exclude.map(pin).join('\n'))
    const reach = sources.fromHost ? await hostReach(folder, operation) : ''
    writeFileSync(join(folder, 'apt.conf'), configuration(folder, lists, sources, settings) + reach)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const env = { ...proxies(), APT_CONFIG: join(folder, 'apt.conf'), HOME: folder, DEBIAN_FRONTEND: 'noninteractive' }
  return {
    folder,
    key,
    hasLists: () => readText(join(lists, 'complete')) !== undefined,
    run: async (argv, { operation: doing, signal }) => {
      const ran = await runOnHost(argv, { env, operation: doing, signal })
      if (argv.includes('update') && ran.code === 0) writeFileSync(join(lists, 'complete'), '')
      return ran
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Throws `UNSUPPORTED` where this machine has no apt. */
export function needApt(operation: string): void {
  for (const [program, name] of [
    ['apt-get', 'apt'],
    ['dpkg-deb', 'dpkg'],
  ] as const)
    needProgram(program, name, operation)
}

const folders = [
  'etc/apt.conf.d',
  'etc/sources.list.d',
  'etc/trusted.gpg.d',
  'etc/preferences.d',
  'cache/archives/partial',
]

function keyOf(sources: AptSources, { architecture }: AptSettings): string {
  return createHash('sha256')
    .update(`${architecture}\n${sourcesText(sources)}`)
    .digest('hex')
    .slice(0, 32)
}

function writeSources(folder: string, { lines, keyrings }: AptSources): void {
  writeFileSync(join(folder, 'etc/sources.list'), lines.map((line) => `${line}\n`).join(''))
  for (const [i, keyring] of keyrings.entries()) {
    const isArmoured = readFileSync(keyring, 'latin1').trimStart().startsWith('-----BEGIN')
    copyFileSync(keyring, join(folder, `etc/trusted.gpg.d/${i}.${isArmoured ? 'asc' : 'gpg'}`))
  }
}

/** Source: apt_preferences(5): below 0, no version is installed. */
function pin(name: string): string {
  return `Package: ${name}\nPin: release *\nPin-Priority: -1\n`
}

/**
 * Source: apt.conf(5). What APT_CONFIG names is read first, and says where all other files are. apt holds itself for essential
 * unless another word stands there.
 */
function configuration(folder: string, lists: string, sources: AptSources, settings: AptSettings): string {
  const { architecture, recommends } = settings
  const etc = sources.fromHost ? '/etc/apt' : `${folder}/etc`
  const keys = sources.fromHost && sources.keyrings.length === 0 ? '/etc/apt' : `${folder}/etc`
  return `Dir "/";
Dir::Etc "${folder}/etc";
Dir::Etc::main "${folder}/etc/none";
Dir::Etc::parts "${folder}/etc/apt.conf.d";
Dir::Etc::sourcelist "${etc}/sources.list";
Dir::Etc::sourceparts "${etc}/sources.list.d";
Dir::Etc::trusted "${keys}/trusted.gpg";
Dir::Etc::trustedparts "${keys}/trusted.gpg.d";
Dir::Etc::netrc "${etc}/auth.conf";
Dir::Etc::netrcparts "${etc}/auth.conf.d";
Dir::Etc::preferences "${folder}/etc/preferences";
Dir::Etc::preferencesparts "${folder}/etc/preferences.d";
Dir::State "${folder}";
Dir::State::lists "${lists}/lists";
Dir::State::status "${folder}/status";
Dir::State::extended_states "${folder}/extended_states";
Dir::Cache "${folder}/cache";
Dir::Cache::archives "${folder}/cache/archives";
Dir::Cache::srcpkgcache "${lists}/srcpkgcache.bin";
Dir::Cache::pkgcache "";
Dir::Log "${folder}";
APT::Sandbox::User "root";
APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Install-Recommends "${recommends}";
APT::Install-Suggests "false";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::ForceHash "SHA256";
Acquire::PDiffs "false";
Acquire::Retries "2";
Acquire::Check-Valid-Until "true";
pkgCacheGen::ForceEssential ",";
`
}

/** How the host reaches its sources: proxies, and the rest of `Acquire` that is not apt's own default. */
async function hostReach(folder: string, operation: string): Promise<string> {
  const bare = join(folder, 'bare.conf')
  writeFileSync(bare, `Dir::Etc::main "${folder}/etc/none";\nDir::Etc::parts "${folder}/etc/apt.conf.d";\n`)
  const dump = async (config: string | undefined) => {
    const env = config === undefined ? {} : { APT_CONFIG: config }
    return (await runOnHost(['apt-config', 'dump', 'Acquire'], { env, operation })).stdout.split('\n')
  }
  const usual = new Set(await dump(bare))
  const lines = (await dump(undefined)).filter((line) => /^Acquire::/i.test(line) && !usual.has(line))
  return lines.filter((line) => !/^Acquire::(Languages|GzipIndexes|ForceHash|PDiffs)\b/i.test(line)).join('\n')
}

function proxies(): Readonly<Record<string, string | undefined>> {
  const names = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy']
  return Object.fromEntries(
    names.flatMap((name) => [name, name.toUpperCase()]).map((name) => [name, process.env[name]]),
  )
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function quoted(root: string, operation: string): BuilderError {
  const reason = 'apt cannot work in a folder with a quotation mark in its name'
  return new BuilderError('UNSUPPORTED', { operation, object: root, reason, hint: 'choose another store with --root' })
}

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type DnfDone, readRepofile, runDnf } from '../distro/dnf.js'
import type { DnfRepository } from '../distro/dnf-config.js'
import { parseDnfRequest } from '../distro/dnf-request.js'
import type { DnfWork } from '../distro/dnf-work.js'
import { BuilderError } from '../errors.js'
import { findContainer } from '../store/containers.js'
import { openStore } from '../store/store.js'
import { epochOf } from './epoch.js'
import type { GlobalOptions } from './global.js'
import { showDnf } from './packages/dnf-progress.js'
import { beginDnfStep } from './packages/dnf-step.js'
import type { ProgressOptions } from './progress/progress.js'

/** Options of {@link dnf}. */
export interface DnfOptions extends GlobalOptions, ProgressOptions {
  /**
   * Repository that packages are taken from, and the key that signs them: a file, or an address. Its folder may be given instead
   * of its address.
   * @placeholder ID=URL[,gpgkey=KEY]
   */
  repo?: readonly string[]
  /**
   * File of repositories, as those in /etc/yum.repos.d.
   * @placeholder FILE
   */
  repofile?: readonly string[]
  /** Take the repositories of this machine too. */
  fromHost?: boolean
  /**
   * Release of the distribution, which repositories have in their addresses.
   * @placeholder RELEASE
   */
  releasever?: string
  /**
   * Architecture of the packages, when it is not this machine's.
   * @placeholder ARCH
   */
  forcearch?: string
  /** Take packages that nobody signed. */
  nogpgcheck?: boolean
  /** Install what packages recommend, too. */
  weakDeps?: boolean
  /** Install documents and manual pages, too. */
  docs?: boolean
  /**
   * Languages whose files are installed, as en,de; all without it.
   * @placeholder LANG
   */
  langs?: readonly string[]
  /**
   * Package that is not to be installed; a pattern.
   * @short x
   * @placeholder PACKAGE
   */
  exclude?: readonly string[]
  /**
   * Module stream that is enabled before.
   * @placeholder NAME:STREAM
   */
  enableModule?: readonly string[]
  /** Take metadata and packages from the cache of earlier runs, and use no network. */
  offline?: boolean
  /**
   * File of the exact packages: written when it is not there, else nothing but these packages is installed.
   * @placeholder FILE
   */
  lock?: string
  /**
   * Time of what is installed, in seconds since 1970. Default: `SOURCE_DATE_EPOCH`, else when the newest package was built.
   * @placeholder SECONDS
   */
  timestamp?: number
  /**
   * Folder that download puts packages into. Default: the working folder.
   * @placeholder DIR
   */
  destdir?: string
  /**
   * Accepted for dnf's scripts; nothing is ever asked.
   * @short y
   */
  assumeyes?: boolean
}

/** What a request did. Packages are named `name-[epoch:]version-release.arch`, sorted. */
export interface DnfResult {
  readonly installed: readonly string[]
  readonly removed: readonly string[]
  /** What dnf printed; of a request that changes something it is for people. */
  readonly stdout: string
}

/**
 * Installs packages into a container with the dnf of this machine; the image needs no package manager.
 *
 * Requests are dnf's own: install, remove, upgrade, group install, module enable, download, repoquery and more.
 * Nothing of this machine's configuration is used: repositories are those that are named. What is
 * fetched is kept in the store for other containers. A request happens whole or not at all, also when a script of a package
 * fails, which dnf itself calls a success. The same request gives the same files wherever and whenever it is executed.
 *
 * Throws `UNSUPPORTED` without dnf on this machine, `USAGE`, `NOT_FOUND` for packages that no repository has, `NETWORK` for a
 * repository that cannot be reached, `DENIED` for packages that are not signed as they should be, `ID_MAP` for owners outside
 * the id map, `INVALID` for a lock of another request, `RUN` when dnf or a package's script fails.
 *
 * @verb
 * @where inside
 * @offline
 * @stdout What repoquery and other questions give, the paths of a download; else nothing.
 * @param container - Name or ID of a container.
 * @param request - What dnf is to do, and packages; flags of dnf's requests behind `--`.
 * @example
 * ```sh
 * c=$(builder from scratch)
 * builder dnf --repo fedora=https://repo.example/fedora/40/,gpgkey=/etc/pki/fedora.asc --releasever 40 "$c" install httpd
 * ```
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * await c.dnf(['install', 'httpd'], { repofile: ['fedora.repo'], releasever: '40', lock: 'httpd.lock' })
 * ```
 */
export async function dnf(
  container: string,
  request: readonly string[] = [],
  options: DnfOptions = {},
): Promise<DnfResult> {
  const work = workOf(request, options)
  const store = await openStore(options)
  const record = await findContainer(store, container, 'dnf')
  const step = await beginDnfStep(store, record, work)
  if (step?.done) return step.done
  let done: DnfDone | undefined
  try {
    await using progress = showDnf(options)
    done = await runDnf(store, record, { ...work, onEvent: progress.onEvent })
    return done
  } finally {
    await step?.end(done)
  }
}

/** What the shell door prints: answers to questions, never tables of what was done. */
export function present(
  { stdout }: DnfResult,
  _options: DnfOptions,
  _container: string,
  request: readonly string[] = [],
): string {
  return parseDnfRequest(request, '/').does === 'changes' ? '' : stdout.replace(/\n$/, '')
}

function workOf(request: readonly string[], options: DnfOptions): DnfWork {
  const { lock, signal } = options
  return {
    request: parseDnfRequest(request, process.cwd()),
    repositories: (options.repo ?? []).map(repositoryOf),
    repofiles: (options.repofile ?? []).map((path) => readRepofile(resolve(path))),
    fromHost: options.fromHost ?? false,
    gpgcheck: !options.nogpgcheck,
    weakDeps: options.weakDeps ?? false,
    docs: options.docs ?? false,
    langs: listOf(options.langs),
    exclude: listOf(options.exclude).toSorted(),
    enableModules: listOf(options.enableModule).toSorted(),
    releasever: options.releasever,
    forcearch: options.forcearch,
    offline: options.offline ?? false,
    lock: lock === undefined ? undefined : resolve(lock),
    epoch: epochOf(options, 'dnf'),
    destination: resolve(options.destdir ?? '.'),
    proxies: proxies(),
    onEvent: () => {},
    signal,
  }
}

function listOf(words: readonly string[] = []): string[] {
  return words.flatMap((word) => word.split(',')).filter((word) => word !== '')
}

/** `ID=URL`, and after commas `gpgkey=FILE|URL`. */
function repositoryOf(text: string): DnfRepository {
  const [, id, rest = ''] = /^([A-Za-z0-9_.:-]+)=(.+)$/s.exec(text) ?? []
  const [place = '', ...more] = rest.split(',gpgkey=')
  if (id === undefined || place === '' || more.includes('')) throw notRepository(text)
  return { id, url: addressOf(place), gpgkeys: more.map(addressOf) }
}

function addressOf(text: string): string {
  return /^[a-z]+:\/\//i.test(text) ? text : pathToFileURL(resolve(text)).href
}

function notRepository(text: string): BuilderError {
  return new BuilderError('USAGE', {
    operation: 'dnf --repo',
    object: text,
    reason: 'it is not ID=URL',
    hint: 'write for example --repo fedora=https://repo.example/40/,gpgkey=/etc/pki/fedora.asc',
  })
}

/** Repositories may be behind a proxy; nothing else of the environment reaches dnf. */
function proxies(): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy']
  const pairs = names.flatMap((name) => [name, name.toUpperCase()]).map((name) => [name, process.env[name]] as const)
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined))
}

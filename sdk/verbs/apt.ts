import { resolve } from 'node:path'
import { type AptChange, type AptRequest, aptOn } from '../distro/apt.js'
import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import { formatCount } from '../image/table.js'
import { caller } from '../namespace/caller.js'
import { findContainer } from '../store/containers.js'
import { openStore } from '../store/store.js'
import { epochOf } from './epoch.js'
import type { GlobalOptions } from './global.js'
import { beginAptStep } from './packages/apt-step.js'
import { type ProgressOptions, showProgress } from './progress/progress.js'

/** Options of {@link apt}. */
export interface AptOptions extends GlobalOptions, ProgressOptions {
  /**
   * `extract`: the packages' files only; nothing is executed, and the image needs no shell. `full`: a Debian system, whose
   * packages' scripts are executed. Default: `full` where the container has dpkg, else `extract`.
   */
  mode?: 'extract' | 'full'
  /**
   * Suite of Debian or Ubuntu: bookworm, noble, sid, bookworm-backports. A release comes with its updates and security updates.
   * Default: what the container's /etc/os-release says.
   * @placeholder SUITE
   */
  suite?: string
  /**
   * Component of the suite. Default: main, for Ubuntu also universe.
   * @placeholder NAME
   */
  component?: readonly string[]
  /**
   * Address of a mirror that has the suite, and of nothing else. Default: the distribution's own.
   * @placeholder URL
   */
  mirror?: string
  /**
   * Source of packages, as a line of sources.list(5).
   * @placeholder LINE
   */
  source?: readonly string[]
  /**
   * Keys that sign the packages. Default: the distribution's keyring on this machine.
   * @placeholder FILE
   */
  keyring?: string
  /**
   * The suite as it was at a time: YYYY-MM-DD or YYYYMMDDTHHMMSSZ, from the distribution's snapshot service.
   * @placeholder DATE
   */
  snapshot?: string
  /** Use this machine's own sources and keys, and its way to reach them. */
  fromHost?: boolean
  /**
   * Architecture, as Debian or OCI names it. Default: the container's.
   * @placeholder ARCH
   */
  arch?: string
  /** Install recommended packages too. */
  recommends?: boolean
  /** Install what the packages need, or with --no-depends only what is named (extract only). @negatable */
  depends?: boolean
  /**
   * Package that is as if no source had it.
   * @placeholder NAME
   */
  exclude?: readonly string[]
  /**
   * File with the exact packages: written when it is not there, else nothing but these is installed.
   * @placeholder FILE
   */
  lock?: string
  /** Use only lists and packages that were fetched before. */
  offline?: boolean
  /** Keep documentation and manual pages; copyright files are always kept. */
  docs?: boolean
  /**
   * Languages whose translations are kept, as de,pt_BR; `all` for every one. Default: none.
   * @placeholder LANG
   */
  langs?: readonly string[]
  /**
   * Time of what is younger, in seconds since 1970. Default: `SOURCE_DATE_EPOCH`, else when the youngest package was built.
   * @placeholder SECONDS
   */
  timestamp?: number
  /**
   * Accepted for scripts: builder never asks.
   * @short y
   */
  yes?: boolean
}

/** What {@link apt} has done. */
export interface AptResult extends AptChange {}

/**
 * Installs Debian and Ubuntu packages with this machine's apt; the image needs none.
 *
 * The first word is install, remove, upgrade or download; packages follow, as `curl`, `curl=7.88.1-10` or `curl/sid`. It is
 * one step: when it fails, the container is as it was. Packages come from where the options say, whatever this machine is
 * configured for; apt checks the signatures. What was fetched is kept in the store for all containers. The same packages give
 * the same image.
 *
 * Throws `NOT_FOUND` for a package or a keyring that is not there, `INVALID` for what cannot be installed together, `DENIED` for what
 * is not signed as it should be, `NETWORK`, `DIGEST`, `RUN` for a maintainer script that fails, `ID_MAP` for an owner outside the id map,
 * `UNSUPPORTED` on a machine without apt.
 *
 * @verb
 * @where inside
 * @offline
 * @stdout The packages of a download: name, version and architecture, one a line; else nothing.
 * @param container - Name or ID of a container.
 * @param words - What to do, and with which packages.
 * @example
 * ```sh
 * c=$(builder from scratch)
 * builder apt "$c" install --suite bookworm base-files curl
 * builder commit --rm "$c" curl
 * ```
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * await c.apt(['install', 'base-files', 'curl'], { suite: 'bookworm', lock: 'packages.lock' })
 * ```
 */
export async function apt(container: string, words: readonly string[], options: AptOptions = {}): Promise<AptResult> {
  const asked = requestOf(words, options)
  const store = await openStore(options)
  const record = await findContainer(store, container, 'apt')
  const step = await beginAptStep(store, record, asked)
  if (step?.done) return step.done
  let done: AptChange | undefined
  try {
    await using telling = tellFetching(options)
    done = await aptOn(store, record, { ...asked, onProgress: telling.onProgress, onFetched: telling.onFetched })
    return done
  } finally {
    await step?.end(done)
  }
}

/** What the shell door prints. */
export function present(
  { packages }: AptResult,
  { quiet }: AptOptions,
  _container: string,
  [action]: readonly string[],
): string {
  if (quiet || action !== 'download') return ''
  return packages.map(({ name, version, architecture }) => `${name} ${version} ${architecture}`).join('\n')
}

/** Shows how far packages are; when all are there, that they are installed. */
function tellFetching(options: AptOptions): Required<Pick<AptRequest, 'onProgress' | 'onFetched'>> & AsyncDisposable {
  const progress = showProgress(options, 'apt')
  let ending: Promise<void> | undefined
  const end = () => {
    ending ??= Promise.resolve(progress[Symbol.asyncDispose]())
    return ending
  }
  const { quiet, onProgress, progress: manner = onProgress ? 'none' : 'auto' } = options
  const tells = !quiet && manner !== 'none' && manner !== 'json'
  return {
    onProgress: ({ packages, ...event }) =>
      progress.note({ ...event, name: formatCount(packages, 'package'), kind: 'package' }),
    onFetched: (count) => {
      end()
      if (tells && count > 0) caller().say(`apt: installing ${formatCount(count, 'package')}\n`)
    },
    [Symbol.asyncDispose]: end,
  }
}

function requestOf(words: readonly string[], options: AptOptions): AptRequest {
  const [action = '', ...rest] = words
  if (!isAction(action)) throw unknownAction(action)
  const packages = [...new Set(rest)].sort()
  const operation = `apt ${action}`
  const odd = [...packages, ...listOf(options.exclude)].find(
    (one) => !/^[a-z0-9][a-z0-9+.-]*(:[a-z0-9]+)?([=/]\S+)?$/.test(one),
  )
  if (odd !== undefined)
    throw usage(operation, odd, 'it is not the name of a package', 'write NAME, NAME=VERSION or NAME/SUITE')
  const lang = listOf(options.langs).find((one) => !/^[A-Za-z]{2,8}([_@][A-Za-z]+)*$/.test(one))
  if (lang !== undefined)
    throw usage(operation, `--langs ${lang}`, 'it is not the name of a language', 'write for example de or pt_BR')
  if (packages.length === 0 && action !== 'upgrade' && options.mode !== 'full')
    throw usage(operation, '', 'no package is named', `write builder apt CONTAINER ${action} PACKAGE…`)
  const { suite, component, mirror, source, keyring, snapshot, fromHost } = options
  const from = { suite, component, mirror, source, keyring, snapshot, fromHost }
  return {
    action,
    packages,
    mode: options.mode,
    from: Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)),
    architecture: options.arch,
    recommends: options.recommends ?? false,
    depends: options.depends ?? true,
    exclude: [...new Set(listOf(options.exclude))].sort(),
    selection: { docs: options.docs ?? false, langs: listOf(options.langs) },
    lock: options.lock === undefined ? undefined : resolve(options.lock),
    offline: options.offline ?? false,
    epoch: epochOf(options, operation),
    signal: options.signal,
  }
}

function listOf(words: readonly string[] = []): string[] {
  return words.flatMap((word) => word.split(',')).filter((word) => word !== '')
}

const actions = ['install', 'remove', 'upgrade', 'download'] as const

function isAction(word: string): word is AptRequest['action'] {
  return (actions as readonly string[]).includes(word)
}

function unknownAction(word: string): BuilderError {
  const reason = word === '' ? 'it is not said what to do' : 'apt has no such word here'
  const near = nearestWord(word, actions)
  const hint = near === undefined ? `write ${actions.join(', ')} after the container` : `did you mean ${near}?`
  return usage('apt', word, reason, hint)
}

function usage(operation: string, object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('USAGE', { operation, object, reason, hint })
}

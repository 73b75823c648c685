import type { Shell } from 'zx'
import { BuilderError } from '../errors.js'
import { digestOf } from '../image/digest.js'
import { isEmptyInput } from '../namespace/standard-input.js'
import type { AddOptions } from '../verbs/add.js'
import type { AptOptions, AptResult } from '../verbs/apt.js'
import type { CommitOptions, CommitResult } from '../verbs/commit.js'
import type { ConfigOptions } from '../verbs/config.js'
import type { CopyOptions, CopyResult } from '../verbs/copy.js'
import type { DnfOptions, DnfResult } from '../verbs/dnf.js'
import type { ExecHostOptions } from '../verbs/exec-host.js'
import type { FromOptions, FromResult } from '../verbs/from.js'
import type { GlobalOptions } from '../verbs/global.js'
import type { Inspection } from '../verbs/inspect.js'
import type { RunOptions } from '../verbs/run/options.js'
import type { WorkdirOptions } from '../verbs/workdir.js'
import { outputOf, type RunOutput, type RunStreams } from './run-output.js'
import { containerShell, Pending } from './shell.js'
import { reachable, verb } from './verb.js'

/** Options of {@link Container.run} beside those of the verb. */
export interface ContainerRunOptions extends RunOptions, RunStreams {}

const verbs = {
  add: verb('add'),
  beginOnHost: verb('beginOnHost'),
  apt: verb('apt'),
  beginRun: verb('beginRun'),
  commit: verb('commit'),
  config: verb('config'),
  copy: verb('copy'),
  dnf: verb('dnf'),
  endOnHost: verb('endOnHost'),
  endRun: verb('endRun'),
  from: verb('from'),
  inspect: verb('inspect'),
  mount: verb('mount'),
  rm: verb('rm'),
  umount: verb('umount'),
  workdir: verb('workdir'),
}

/**
 * A working container: everything that can be done with it, as methods. Made by {@link from}. With `await using` it is
 * removed at the end of the block.
 *
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * await using c = await from('scratch')
 * await c.copy('site/', '/srv/')
 * await c.commit('site')
 * ```
 */
export class Container {
  /** 64 hexadecimal digits. */
  readonly id: string
  readonly name: string
  readonly #options: GlobalOptions
  readonly #pending = new Pending()
  #shell: Shell | undefined
  #removed = false

  constructor({ id, name }: FromResult, options: GlobalOptions = {}) {
    this.id = id
    this.name = name
    this.#options = options
  }

  /**
   * zx's `$`, with commands that run in the container by its `/bin/sh`; values are quoted.
   *
   * @example
   * ```ts
   * import { from } from 'builder-sdk'
   * const c = await from('web')
   * const file = 'with blank'
   * await c.$`touch ${file} && ls -l`
   * ```
   */
  get $(): Shell {
    this.#shell ??= containerShell(this.id, this.#options, this.#pending)
    return this.#shell
  }

  /**
   * Runs a command. Its output is shown on standard error and given back. Throws `RunError` when it fails (unless
   * `nothrow`), `NOT_FOUND`, `UNSUPPORTED`, `ABORTED`.
   */
  async run(command: readonly string[] = [], options: ContainerRunOptions = {}): Promise<RunOutput> {
    await this.#tidied()
    const { input, stdio = 'pipe', quiet: _, nothrow: __, ...rest } = options
    const standardInput = input === undefined ? inputOf(stdio) : digestOf(input)
    const begun = await verbs.beginRun(this.id, command, { ...this.#options, ...rest, standardInput })
    try {
      return await outputOf(begun, this.name, options)
    } finally {
      await verbs.endRun(begun.token)
    }
  }

  /**
   * Runs a command of this machine, in this script's working folder, as root of the namespace; `BUILDER_MOUNT` tells it where the
   * container is. Its output is shown on standard error and given back. Throws `RunError` when it fails (unless `nothrow`),
   * `NOT_FOUND`, `IN_USE`, `ABORTED`.
   *
   * @example
   * ```ts
   * import { from } from 'builder-sdk'
   * const c = await from('scratch')
   * await c.execHost(['sh', '-c', 'make install DESTDIR="$BUILDER_MOUNT"'])
   * ```
   */
  async execHost(command: readonly string[], options: ExecHostOptions & RunStreams = {}): Promise<RunOutput> {
    await this.#tidied()
    const { input: _, stdio: __, quiet: ___, nothrow: ____, ...rest } = options
    const begun = await verbs.beginOnHost(this.id, command, { ...this.#options, ...rest })
    try {
      // A namespace's root is where one stands after entering it.
      const there = ['sh', '-c', 'cd -- "$1" && shift && exec "$@"', 'sh', process.cwd()]
      return await outputOf({ ...begun, argv: [...there, ...begun.argv] }, this.name, options)
    } finally {
      await verbs.endOnHost(begun.token)
    }
  }

  /** Copies files and folders of this machine, or of `from`, into the container. Throws as the verb does. */
  async copy(source: string | readonly string[], destination?: string, options: CopyOptions = {}): Promise<CopyResult> {
    await Promise.all(this.#pending.ended)
    return verbs.copy(this.id, paths(source, destination), { ...this.#options, ...options })
  }

  /** The same with archives unpacked and URLs fetched. Throws as the verb does. */
  async add(source: string | readonly string[], destination?: string, options: AddOptions = {}): Promise<CopyResult> {
    await Promise.all(this.#pending.ended)
    return verbs.add(this.id, paths(source, destination), { ...this.#options, ...options })
  }

  /** Installs, removes, upgrades or downloads Debian packages with this machine's apt. Throws as the verb does. */
  async apt(words: readonly string[], options: AptOptions = {}): Promise<AptResult> {
    await this.#tidied()
    return verbs.apt(this.id, words, { ...this.#options, ...options })
  }

  /** Installs packages with this machine's dnf, and whatever else it is asked for. Throws as the verb does. */
  async dnf(request: readonly string[], options: DnfOptions = {}): Promise<DnfResult> {
    await this.#tidied()
    return verbs.dnf(this.id, request, { ...this.#options, ...options })
  }

  /** Changes what the image will say of itself. Throws `USAGE`. */
  config(options: ConfigOptions): Promise<void> {
    return verbs.config(this.id, { ...this.#options, ...options })
  }

  /** Makes a folder and has later commands start in it. Throws as the verb does. */
  workdir(path: string, options: WorkdirOptions = {}): Promise<void> {
    return verbs.workdir(this.id, path, { ...this.#options, ...options })
  }

  /** Mounts the root until {@link umount} and gives a path that this script can read and write. Throws `IN_USE`. */
  async mount(options: GlobalOptions = {}): Promise<string> {
    const [mounted] = await verbs.mount([this.id], { ...this.#options, ...options })
    if (!mounted)
      throw new BuilderError('SYSTEM', { operation: 'mount', object: this.name, reason: 'it was not mounted' })
    return reachable(mounted.path)
  }

  /** Ends what {@link mount} began. Throws `IN_USE` when something still uses the root. */
  async umount(options: GlobalOptions = {}): Promise<void> {
    await this.#tidied()
    await verbs.umount([this.id], { ...this.#options, ...options })
  }

  /** Makes an image. The container goes on from it, unless `rm` removes it. Throws as the verb does. */
  async commit(image?: string, options: CommitOptions = {}): Promise<CommitResult> {
    await this.#tidied()
    const made = await verbs.commit(this.id, image, { ...this.#options, ...options })
    if (options.rm) this.#removed = true
    return made
  }

  /** Everything known of the container. */
  inspect(): Promise<Inspection> {
    return verbs.inspect(this.id, { ...this.#options, type: 'container' })
  }

  /** Removes the container. Images committed from it stay. Throws `IN_USE` while a command runs in it. */
  async remove(): Promise<void> {
    if (this.#removed) return
    await this.#tidied()
    await verbs.rm([this.id], this.#options)
    this.#removed = true
  }

  /** A command of `$` is over for zx when it ends, and here when its mounts are gone. */
  async #tidied(): Promise<void> {
    await Promise.all(this.#pending.all)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove()
  }
}

/**
 * Creates a working container from an image: `scratch`, a local image's name or ID, or transport:path. See the verb
 * `from` for options and errors.
 *
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * await c.copy(['/bin/busybox'], '/bin/')
 * const { stdout } = await c.run(['/bin/busybox', 'echo', 'hello'])
 * ```
 */
export async function from(image: string, options: FromOptions = {}): Promise<Container> {
  const { root, runroot, storageDriver } = options
  const common = Object.fromEntries(Object.entries({ root, runroot, storageDriver }).filter(([, v]) => v !== undefined))
  return new Container(await verbs.from(image, options), common)
}

function paths(source: string | readonly string[], destination: string | undefined): readonly string[] {
  const sources = typeof source === 'string' ? [source] : source
  return destination === undefined ? sources : [...sources, destination]
}

function inputOf(stdio: 'pipe' | 'inherit'): 'empty' | 'unknown' {
  return stdio === 'pipe' || isEmptyInput('self', 0) ? 'empty' : 'unknown'
}

import type { ImageConfig } from '../image/config.js'
import type { Platform } from '../image/platform.js'
import type { StepLayer } from '../store/seal-step.js'
import type { BuildState } from './state.js'

/**
 * What the executor needs of the verbs: the rooms above hand it in. Everything stops, and leaves nothing behind, when the
 * signal fires.
 */
export interface Workshop {
  /** Sees to it that an image is in the store and gives its state. Throws what `pull` throws. */
  image(name: string, platform: Platform | undefined, signal: AbortSignal): Promise<BuildState>
  /** Makes a container of a state. */
  bench(state: BuildState, signal: AbortSignal): Promise<Bench>
  /** Mounts what a container, by its ID, or an image has, to read from. Disposing of it lets go. */
  root(id: string, signal: AbortSignal): Promise<AsyncDisposable & { readonly path: string }>
}

/** A container that the instructions of one stage work in. Disposing of it removes it. */
export interface Bench extends AsyncDisposable {
  /** The container's ID. */
  readonly id: string
  /** Runs a command and gives its exit code. Throws `RunError` when it cannot be started. */
  run(work: RunWork, signal: AbortSignal): Promise<number>
  /** Copies files into the container. */
  place(work: PlaceWork, signal: AbortSignal): Promise<void>
  /** Makes a folder with its parents when it is not there, and gives it to the user. */
  makeFolder(path: string, signal: AbortSignal): Promise<void>
  /** What later runs see as the container's configuration, and what a commit says. */
  configure(config: ImageConfig, annotations?: Readonly<Record<string, string>>): Promise<void>
  /** Makes all changes since the last time a layer; none when nothing changed. Files younger than the epoch get its time. */
  seal(epoch: number | undefined, signal: AbortSignal): Promise<{ readonly layer?: StepLayer }>
  /** Commits the container, as `builder commit` does, to an image that no list names, and gives its state. */
  image(signal: AbortSignal): Promise<BuildState>
}

/** A command of `RUN`, ready to be executed. */
export interface RunWork {
  readonly argv: readonly string[]
  /** NAME=value beside the container's own. */
  readonly env: readonly string[]
  /** As `builder run --mount` takes them. */
  readonly mounts: readonly string[]
  /** What a name in the `from` of a mount means. */
  readonly roots: ReadonlyMap<string, WorkRoot>
  readonly device: readonly string[]
  /** The folder that bind mounts take their sources from. */
  readonly context?: string
  readonly network?: string
  readonly security?: string
  /** A program that the command finds under a path. */
  readonly script?: { readonly path: string; readonly content: string }
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void
}

/** Files of `COPY` or `ADD`, ready to be placed. */
export interface PlaceWork {
  readonly verb: 'copy' | 'add'
  readonly sources: readonly string[]
  readonly destination: string
  /** The container whose files these are; absent for the context. */
  readonly from?: string
  /** The folder that the sources are below; absent with `from`. */
  readonly context?: string
  /** Patterns of what is left out of the context, in a file. */
  readonly ignorefile?: string
  /** Text that becomes files of these names. */
  readonly files: readonly { readonly name: string; readonly content: string }[]
  readonly chown?: string
  readonly chmod?: string
  readonly link?: boolean
  readonly parents?: boolean
  readonly exclude?: readonly string[]
  readonly checksum?: string
  readonly keepGitDir?: boolean
  readonly unpack?: boolean
}

/** Files that a mount shows: those of a container, of an image, or of a folder. */
export type WorkRoot =
  | { readonly kind: 'container' | 'image'; readonly id: string }
  | { readonly kind: 'folder'; readonly path: string }

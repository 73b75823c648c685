/**
 * What went wrong, as one word a program can compare. The set is closed: a new kind of failure is a new code here.
 *
 * - `USAGE`: the call itself is wrong (unknown verb or flag, a value of the wrong form)
 * - `NOT_FOUND`: an image, container, layer, file or program that was named does not exist
 * - `EXISTS`: a name or a path is taken
 * - `IN_USE`: something else is using it, or holds its lock
 * - `INVALID`: data from outside breaks its specification (archive, manifest, digest, reference)
 * - `DIGEST`: bytes do not have the digest or the size that was claimed for them
 * - `UNSAFE`: an archive entry, a link or a path tries to leave the root it belongs to, or an archive is a decompression bomb
 * - `ID_MAP`: a uid or gid is outside the id map, or there is no subordinate range
 * - `UNSUPPORTED`: this kernel, machine or builder cannot do it
 * - `NETWORK`: a registry or another server cannot be reached, cannot be trusted, breaks off, or is in trouble
 * - `DENIED`: a registry or another server wants a login, refuses the one it got, or does not permit this to its user; a policy
 *   or the user does not permit a label's command
 * - `SYSTEM`: the operating system refused (full disk, permission, missing device)
 * - `RUN`: a command in a container or on the host failed
 * - `ABORTED`: an AbortSignal or a signal stopped it
 */
export type ErrorCode =
  | 'USAGE'
  | 'NOT_FOUND'
  | 'EXISTS'
  | 'IN_USE'
  | 'INVALID'
  | 'DIGEST'
  | 'UNSAFE'
  | 'ID_MAP'
  | 'UNSUPPORTED'
  | 'NETWORK'
  | 'DENIED'
  | 'SYSTEM'
  | 'RUN'
  | 'ABORTED'

/** The four parts of a message: what was being done, to what, why it failed, what to do next. */
export interface ErrorParts {
  /** The verb or action in the reader's words: `commit`, `unpack layer`. */
  readonly operation: string
  /** What it was done to: a name, an ID, a path. */
  readonly object: string
  /** The cause in plain words, never a raw errno alone. */
  readonly reason: string
  /** What the reader can do next. */
  readonly hint?: string
  readonly cause?: unknown
}

/**
 * Every failure that builder reports itself. Anything else that escapes is a bug in builder.
 *
 * @example
 * ```ts
 * import { BuilderError, from } from 'builder-sdk'
 * try {
 *   await from('no-such-image')
 * } catch (error) {
 *   if (error instanceof BuilderError && error.code === 'NOT_FOUND') console.error(error.hint)
 * }
 * ```
 */
export class BuilderError extends Error {
  override readonly name: string = 'BuilderError'
  readonly code: ErrorCode
  readonly operation: string
  readonly object: string
  readonly reason: string
  readonly hint: string | undefined

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(sentence(parts), parts.cause === undefined ? undefined : { cause: parts.cause })
    this.code = code
    this.operation = parts.operation
    this.object = parts.object
    this.reason = parts.reason
    this.hint = parts.hint
  }
}

/** How a command ended and the end of what it printed. */
export interface RunFailure extends ErrorParts {
  readonly argv: readonly string[]
  /** The command's own exit code; 128 + the signal's number when a signal ended it. */
  readonly exitCode: number
  /** The end of its standard output and standard error (at most 16 KiB each), secrets already redacted. */
  readonly stdout?: string
  readonly stderr?: string
}

/**
 * A command that ran and failed.
 *
 * @example
 * ```ts
 * import { RunError, from } from 'builder-sdk'
 * const c = await from('web')
 * try {
 *   await c.run(['false'])
 * } catch (error) {
 *   if (error instanceof RunError) console.error(error.argv, error.exitCode, error.stderr)
 * }
 * ```
 */
export class RunError extends BuilderError {
  override readonly name = 'RunError'
  readonly argv: readonly string[]
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string

  constructor(failure: RunFailure) {
    super('RUN', failure)
    this.argv = failure.argv
    this.exitCode = failure.exitCode
    this.stdout = failure.stdout ?? ''
    this.stderr = failure.stderr ?? ''
  }
}

/** A failure as plain data, for the way between two processes. */
export interface WireError {
  readonly code: ErrorCode
  readonly parts: Omit<ErrorParts, 'cause'>
  readonly run?: Pick<RunError, 'argv' | 'exitCode' | 'stdout' | 'stderr'>
}

/** Turns any thrown value into data that can cross a process boundary. */
export function toWire(error: unknown): WireError {
  const known = asBuilderError(error)
  const { operation, object, reason, hint } = known
  const parts = { operation, object, reason, ...(hint === undefined ? {} : { hint }) }
  if (!(known instanceof RunError)) return { code: known.code, parts }
  const { argv, exitCode, stdout, stderr } = known
  return { code: known.code, parts, run: { argv, exitCode, stdout, stderr } }
}

/** The reverse of {@link toWire}. */
export function fromWire(wire: WireError): BuilderError {
  if (wire.run) return new RunError({ ...wire.parts, ...wire.run })
  return new BuilderError(wire.code, wire.parts)
}

/** Gives a system error (`ENOSPC`, `EACCES` …) the sentence a reader needs; passes builder's own errors through. */
export function asBuilderError(error: unknown, operation = 'builder', object = ''): BuilderError {
  if (error instanceof BuilderError) return error
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError'))
    return new BuilderError('ABORTED', { operation, object, reason: 'stopped before it was done', cause: error })
  const system = error as Partial<NodeJS.ErrnoException>
  const known =
    system?.syscall === 'uv_cwd' ? folderGone : system?.code === undefined ? undefined : reasons[system.code]
  const path = system?.path ?? object
  if (known) return new BuilderError('SYSTEM', { operation, object: path, ...known, cause: error })
  const reason = error instanceof Error ? error.message : String(error)
  return new BuilderError('SYSTEM', { operation, object: path, reason, cause: error })
}

const folderGone = { reason: 'the working folder was removed', hint: 'go to another one' }

const reasons: Readonly<Record<string, { reason: string; hint?: string }>> = {
  ENOSPC: { reason: 'the disk is full', hint: 'free some space (builder prune, builder rmi) and try again' },
  EDQUOT: { reason: 'the disk quota is used up', hint: 'free some space (builder prune, builder rmi) and try again' },
  EACCES: { reason: 'permission denied', hint: 'check its owner and its mode; for a store, --root names another' },
  EPERM: { reason: 'the kernel does not permit it', hint: 'see builder info for what this machine allows' },
  EROFS: { reason: 'the file system is read-only', hint: 'choose another store with --root' },
  ENOENT: { reason: 'it does not exist', hint: 'check the name' },
  ENOTDIR: { reason: 'a part of the path is not a directory', hint: 'check the path' },
  EISDIR: { reason: 'it is a directory', hint: 'name a file' },
  ENAMETOOLONG: { reason: 'its name or the path to it is too long', hint: 'shorten it' },
  EMFILE: { reason: 'too many open files', hint: 'raise the limit with ulimit -n' },
  EBADF: { reason: 'it is closed, or open for something else' },
  ELOOP: { reason: 'too many symbolic links', hint: 'check where the links point' },
}

function sentence({ operation, object, reason, hint }: ErrorParts): string {
  const about = object === '' ? operation : `${operation} ${object}`
  return printable(hint === undefined ? `${about}: ${reason}` : `${about}: ${reason}; ${hint}`)
}

/** Escapes control characters, so that a hostile name cannot write to the reader's terminal. Newlines stay. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (c) => (c === '\n' ? c : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`))
}

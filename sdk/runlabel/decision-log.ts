import { spawn } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { findProgram, hostEnvironment } from '../runtime/programs.js'
import { onOneLine, visible } from './show.js'

/** A decision about a label's command. */
export interface Decision {
  readonly verdict: 'executed' | 'refused'
  /** Who or what decided: `--yes`, `y at the terminal`, a rule of the policy, `no terminal`. */
  readonly why: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** The user that logged in; absent where no login started this. */
  readonly loginuid?: string
  readonly uid: number
  readonly sudoUid?: string
  readonly sudoUser?: string
  readonly image: string
  readonly digest: string
  readonly label: string
  readonly engine: string
  readonly argv: readonly string[]
  readonly cwd: string
  /** What it asks for, as `kind` or `kind:object`. */
  readonly asks: readonly string[]
}

/** Where decisions go. */
export interface LogPlace {
  /** What the policy says: `journal`, or an absolute path. */
  readonly named?: string
  /** The store's folder, where the file is when there is no journal. */
  readonly folder: string
}

/**
 * Writes a decision down, and returns when it is written: into the journal where systemd has one, else as a line of JSON into
 * `runlabel.log` in the store's folder, for its owner alone. Throws `SYSTEM`: what cannot be written down is not to be executed.
 */
export async function logDecision(decision: Decision, { named, folder }: LogPlace): Promise<void> {
  if (named?.startsWith('/')) return intoFile(named, decision)
  const logger = hasJournal() ? findProgram('logger') : undefined
  if (logger && (await intoJournal(logger, decision))) return
  if (named === 'journal')
    throw notWritten('the journal', 'there is none here, or the program logger is missing or failed')
  intoFile(join(folder, 'runlabel.log'), decision)
}

/** Where there is none, logger says nothing of it. Source: sd_journal_send(3), Notes. */
function hasJournal(): boolean {
  return statSync('/run/systemd/journal/socket', { throwIfNoEntry: false })?.isSocket() ?? false
}

/** Source: systemd.journal-fields(7), and logger(1), --journald: a field a line. */
function intoJournal(logger: string, decision: Decision): Promise<boolean> {
  const { verdict, why, image, digest, label, argv, engine, asks, loginuid, sudoUid, sudoUser } = decision
  const fields: Readonly<Record<string, string | undefined>> = {
    MESSAGE: `${verdict} (${why}): label ${label} of ${image} ${digest}: ${onOneLine(argv)}`,
    PRIORITY: '5',
    SYSLOG_IDENTIFIER: 'builder',
    BUILDER_VERDICT: verdict,
    BUILDER_WHY: why,
    BUILDER_IMAGE: image,
    BUILDER_DIGEST: digest,
    BUILDER_LABEL: label,
    BUILDER_ENGINE: engine,
    BUILDER_ARGV: JSON.stringify(argv),
    BUILDER_ASKS: JSON.stringify(asks),
    BUILDER_LOGINUID: loginuid,
    BUILDER_SUDO_UID: sudoUid,
    BUILDER_SUDO_USER: sudoUser,
  }
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${visible(value)}`],
  )
  return new Promise((resolve) => {
    const child = spawn(logger, ['--journald'], { env: hostEnvironment(), stdio: ['pipe', 'ignore', 'ignore'] })
    child.once('error', () => resolve(false)).once('close', (code) => resolve(code === 0))
    child.stdin.on('error', () => {}).end(`${lines.join('\n')}\n`)
  })
}

function intoFile(path: string, decision: Decision): void {
  try {
    // Not its parents too: Node's `recursive` never ends where there can be no folder, as in /proc.
    if (!existsSync(dirname(path))) mkdirSync(dirname(path), { mode: 0o700 })
    const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants
    const descriptor = openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o600)
    try {
      if (!fstatSync(descriptor).isFile()) throw new Error('it is not a file')
      const { time, ...rest } = decision
      writeSync(descriptor, `${JSON.stringify({ time: new Date(time).toISOString(), ...rest })}\n`)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw notWritten(path, asBuilderError(error).reason, error)
  }
}

function notWritten(object: string, why: string, cause?: unknown): BuilderError {
  return new BuilderError('SYSTEM', {
    operation: 'log decision',
    object,
    reason: `it cannot be written: ${why}; nothing is executed`,
    hint: 'name another place in runlabel.json: "log": "/path/to/file"',
    cause,
  })
}

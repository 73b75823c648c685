import { readFileSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import { isRealRoot } from '../namespace/inside.js'

/** A limit of a process. Source: OCI runtime-spec config.md, "POSIX process", `rlimits`; setrlimit(2). */
export interface ResourceLimit {
  readonly type: `RLIMIT_${string}`
  readonly soft: number
  readonly hard: number
}

/**
 * Reads a `--ulimit`: `NAME=SOFT[:HARD]`, -1 for none. Throws `USAGE` for another form, `UNSUPPORTED` for more than this process may
 * have, which only real root can give.
 */
export function parseLimit(text: string): ResourceLimit {
  const [, name = '', first, second] = /^([a-z]+)=(-1|\d{1,15})(?::(-1|\d{1,15}))?$/.exec(text) ?? []
  if (first === undefined) throw wrongLimit(text, 'it is not NAME=SOFT[:HARD]')
  const label = names[name]
  if (label === undefined) {
    const near = nearestWord(name, Object.keys(names))
    throw wrongLimit(text, `there is no limit ${JSON.stringify(name)}`, near ? `did you mean ${near}?` : undefined)
  }
  const [soft, hard] = [number(first), number(second ?? first)]
  if (soft > hard) throw wrongLimit(text, 'the soft limit is larger than the hard one')
  if (hard > ownHard(label) && !isRealRoot())
    throw new BuilderError('UNSUPPORTED', {
      operation: 'set limit',
      object: text,
      reason: `a plain user cannot raise a hard limit, which is ${ownHard(label)} here`,
      hint: 'ask for less, or raise it in /etc/security/limits.conf',
    })
  return { type: `RLIMIT_${name.toUpperCase()}`, soft, hard }
}

/** The limit as prlimit(1) takes it. */
export function prlimitArgument({ type, soft, hard }: ResourceLimit): string {
  const text = (value: number) => (value === unlimited ? 'unlimited' : `${value}`)
  return `--${type.slice('RLIMIT_'.length).toLowerCase()}=${text(soft)}:${text(hard)}`
}

function number(word: string): number {
  return word === '-1' ? unlimited : Number(word)
}

function ownHard(label: string): number {
  const row = readFileSync('/proc/self/limits', 'latin1')
    .split('\n')
    .find((line) => line.startsWith(`Max ${label} `))
  const [, hard = 'unlimited'] = row?.slice(26).trim().split(/\s+/) ?? []
  return hard === 'unlimited' ? unlimited : Number(hard)
}

function wrongLimit(text: string, reason: string, hint = 'write for example --ulimit nofile=1024:2048'): BuilderError {
  return new BuilderError('USAGE', { operation: 'read limit', object: JSON.stringify(text), reason, hint })
}

/** RLIM_INFINITY as a number that JSON writes as runtimes read it: 2 to the 64, which they take as the largest. */
const unlimited = 2 ** 64 - 2048

/** As /proc/self/limits calls them. Source: proc(5). */
const names: Readonly<Record<string, string>> = {
  as: 'address space',
  core: 'core file size',
  cpu: 'cpu time',
  data: 'data size',
  fsize: 'file size',
  locks: 'file locks',
  memlock: 'locked memory',
  msgqueue: 'msgqueue size',
  nice: 'nice priority',
  nofile: 'open files',
  nproc: 'processes',
  rss: 'resident set',
  rtprio: 'realtime priority',
  rttime: 'realtime timeout',
  sigpending: 'pending signals',
  stack: 'stack size',
}

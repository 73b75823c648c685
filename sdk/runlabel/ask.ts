import { posix } from 'node:path'

/**
 * What a command asks of the machine, as a word that a policy can name:
 *
 * - `root`: it is executed by root of the machine
 * - `host-program`: a program of the machine is executed
 * - `engine-command`: a command of podman, docker or builder that runs no image
 * - `engine-flag`: a flag of podman's or docker's that builder does not judge
 * - `other-image`: an image that is not the one whose label it is
 * - `privileged`, `capability`, `device`, `security-option`: more than a container has
 * - `host-root`, `host-path-read`, `host-path-write`, `socket`: files of the machine
 * - `host-network`, `host-ipc`, `host-pid`, `host-uts`, `host-user`: namespaces of the machine
 * - `port`: a port of the machine
 * - `env-file`, `caller-env`: a file with variables, a variable of the caller's
 * - `replace`: a container of the same name is removed
 */
export const askKinds = [
  ...(['root', 'host-program', 'engine-command', 'engine-flag', 'other-image'] as const),
  ...(['privileged', 'capability', 'device', 'security-option'] as const),
  ...(['host-root', 'host-path-read', 'host-path-write', 'socket'] as const),
  ...(['host-network', 'host-ipc', 'host-pid', 'host-uts', 'host-user'] as const),
  ...(['port', 'env-file', 'caller-env', 'replace'] as const),
] as const

/** One of {@link askKinds}. */
export type AskKind = (typeof askKinds)[number]

/** One thing that a command asks for. */
export interface Ask {
  readonly kind: AskKind
  /** A path, a capability, a device, a program, a flag; absent where the kind says all. */
  readonly object?: string
  /** In plain words. */
  readonly text: string
}

/**
 * True when a policy's word covers an ask: `capability` any capability, `capability:NET_ADMIN` that one, `host-path-read:/srv` /srv and
 * what is below it, `*` everything. Who may write may read.
 */
export function covers(word: string, { kind, object }: Ask): boolean {
  if (word === '*') return true
  const [named = '', value] = splitAsk(word)
  const isKind = named === kind || (named === 'host-path-write' && kind === 'host-path-read')
  if (!isKind) return false
  if (value === undefined) return true
  if (kind === 'host-root') return value === object || value === 'write'
  if (!kind.startsWith('host-path')) return value === object
  const folder = posix.normalize(value).replace(/\/$/, '')
  return object === folder || (object ?? '').startsWith(`${folder}/`)
}

/** A policy's word taken apart: the kind, and what stands after the first colon. */
export function splitAsk(word: string): readonly [string, string | undefined] {
  const at = word.indexOf(':')
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}

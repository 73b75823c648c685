import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { BuilderError } from '../errors.js'

/** Which ssh agent a run may use: one that is there, or one with some keys that is started for it. */
export type SshSource = { readonly id: string } & (
  | { readonly type: 'agent'; readonly socket: string }
  | { readonly type: 'keys'; readonly files: readonly string[] }
)

/**
 * Reads a `--ssh`: `default` or `ID`, which is the agent of `SSH_AUTH_SOCK`; `ID=SOCKET`; or `ID=KEYFILE[,KEYFILE…]`. Throws `USAGE`,
 * and `NOT_FOUND` for a file that is not there. Source: buildah-build(1), docker buildx build, `--ssh`.
 *
 * @param env - The variables of who gives the agent.
 */
export function parseSsh(text: string, env: Readonly<Record<string, string | undefined>> = process.env): SshSource {
  const equals = text.indexOf('=')
  const id = equals < 0 ? text : text.slice(0, equals)
  if (id === '') throw fault('USAGE', text, 'it has no id', 'write --ssh default, or --ssh ID=SOCKET')
  const paths = (equals < 0 ? '' : text.slice(equals + 1)).split(',').filter(Boolean)
  if (paths.length === 0) return { id, type: 'agent', socket: ownAgent(text, env.SSH_AUTH_SOCK) }
  const sockets = paths.filter((path) => isSocket(path, text))
  if (sockets.length === 0) return { id, type: 'keys', files: paths.map((path) => resolve(path)) }
  if (paths.length === 1) return { id, type: 'agent', socket: resolve(paths[0] as string) }
  throw fault('USAGE', text, 'a socket stands alone', `give the others an id of their own, or leave ${sockets[0]} out`)
}

function ownAgent(text: string, socket: string | undefined): string {
  const hint = 'start one with eval "$(ssh-agent)" and ssh-add, or name a key: --ssh default=~/.ssh/id_ed25519'
  if (!socket) throw fault('NOT_FOUND', text, 'SSH_AUTH_SOCK is not set: there is no agent', hint)
  if (isSocket(socket, text, hint)) return resolve(socket)
  throw fault('USAGE', text, `SSH_AUTH_SOCK is ${socket}, which is no socket`, hint)
}

function isSocket(path: string, text: string, hint = 'name a socket of an agent, or files with keys'): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found) return found.isSocket()
  throw fault('NOT_FOUND', text, `there is no ${path}`, hint)
}

function fault(code: 'USAGE' | 'NOT_FOUND', text: string, reason: string, hint: string): BuilderError {
  return new BuilderError(code, { operation: 'read ssh', object: JSON.stringify(text), reason, hint })
}

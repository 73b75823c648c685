import { statSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import type { BindMount } from './mount-request.js'
import { insidePath } from './volume.js'

/**
 * Reads a `--device`: `HOST[:CONTAINER][:rwm]`. The host's device is mounted, so that its own permissions decide.
 *
 * Throws `USAGE` for another form, `NOT_FOUND` when there is no such device, `UNSUPPORTED` for fewer permissions than
 * `rwm`: holding those back takes a device cgroup, and runs have none.
 */
export function parseDevice(text: string): BindMount {
  const [source = '', ...rest] = text.split(':')
  const access = rest.length > 0 && /^[rwm]+$/.test(rest.at(-1) as string) ? rest.pop() : undefined
  if (!source.startsWith('/') || rest.length > 1) throw fault('USAGE', text, 'it is not HOST[:CONTAINER][:rwm]')
  if (access && new Set(access).size < 3)
    throw fault('UNSUPPORTED', text, `permissions ${access} cannot be held to`, 'give rwm, or mount it with -v and ro')
  const stat = statSync(source, { throwIfNoEntry: false })
  if (!stat) throw fault('NOT_FOUND', text, `there is no ${source} on this machine`)
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) throw fault('USAGE', text, `${source} is not a device`)
  return { type: 'bind', source, destination: insidePath(text, rest[0] ?? source) }
}

function fault(code: 'USAGE' | 'UNSUPPORTED' | 'NOT_FOUND', text: string, reason: string, hint?: string): BuilderError {
  const parts = { operation: 'read device', object: JSON.stringify(text), reason }
  return new BuilderError(code, hint ? { ...parts, hint } : parts)
}

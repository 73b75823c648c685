import { closeSync, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { isRealRoot } from '../namespace/inside.js'
import { configHome } from '../transport/registry/configuration-places.js'
import { type Policy, parsePolicy } from './policy.js'

/**
 * Reads the policy: `runlabel.json` in the user's containers folder, else the machine's in /etc/containers; undefined when there is
 * none. The user's puts the machine's aside, as with registries.conf and policy.json.
 *
 * Throws `INVALID` with file and line for what is wrong in it, `UNSAFE` for a file or folder that somebody else could have written.
 */
export function readPolicy(): Policy | undefined {
  for (const file of [join(configHome(), 'containers/runlabel.json'), '/etc/containers/runlabel.json']) {
    const text = readTrusted(file)
    if (text !== undefined) return parsePolicy(text, file)
  }
  return undefined
}

const sizeLimit = 256 * 1024

function readTrusted(file: string): string | undefined {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw asBuilderError(error, 'read policy', file)
  }
  try {
    const found = fstatSync(descriptor)
    if (!found.isFile()) throw untrusted(file, 'it is not a file')
    checkOwner(file, found)
    checkOwner(dirname(file), statSync(dirname(file)))
    if (found.size > sizeLimit) throw untrusted(file, `it is larger than ${sizeLimit} bytes`)
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

/** Who can write it decides what this user executes. */
function checkOwner(path: string, { uid, mode }: Stats): void {
  if (!isTrusted(uid, path)) throw untrusted(path, `it belongs to user ${uid}, neither to you nor to root`)
  if ((mode & 0o022) !== 0) throw untrusted(path, 'others than its owner can write it')
}

/** In a user namespace the machine's root, and so the owner of /etc, is nobody (user_namespaces(7), overflowuid). */
function isTrusted(uid: number, path: string): boolean {
  return (
    uid === process.geteuid?.() || (isRealRoot() || process.geteuid?.() !== 0 ? uid === 0 : path.startsWith('/etc/'))
  )
}

function untrusted(object: string, reason: string): BuilderError {
  const hint = `give it to yourself or root alone: chown and chmod go-w ${object}`
  return new BuilderError('UNSAFE', { operation: 'read policy', object, reason, hint })
}

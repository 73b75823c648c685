import { execFile } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { BuilderError } from '../errors.js'
import { findProgram } from '../runtime/programs.js'

/** Which dnf it is: their arguments, and what can be known of their work, differ. */
export type DnfKind = 'dnf4' | 'dnf5' | 'microdnf'

/** The dnf of this machine. */
export interface DnfProgram {
  readonly path: string
  readonly kind: DnfKind
}

/** Finds the machine's dnf, and microdnf where that is all there is. Throws `UNSUPPORTED`, saying how to install one. */
export async function findDnf(): Promise<DnfProgram> {
  const dnf = findProgram('dnf')
  if (dnf) return { path: dnf, kind: await kindOf(dnf) }
  for (const [name, kind] of others) {
    const path = findProgram(name)
    if (path) return { path, kind }
  }
  throw new BuilderError('UNSUPPORTED', {
    operation: 'dnf',
    object: 'dnf',
    reason: 'this program is not on this machine',
    hint: `install it: ${installation()}`,
  })
}

const others = [
  ['dnf5', 'dnf5'],
  ['dnf-3', 'dnf4'],
  ['microdnf', 'microdnf'],
] as const

/** `dnf` is a link to one of them. */
async function kindOf(path: string): Promise<DnfKind> {
  const name = basename(realpathSync(path))
  if (/^dnf-[234]/.test(name)) return 'dnf4'
  if (name === 'dnf5' || name === 'microdnf') return name
  const { stdout } = await promisify(execFile)(path, ['--version']).catch(() => ({ stdout: '' }))
  return /^dnf5 /m.test(stdout) ? 'dnf5' : 'dnf4'
}

function installation(): string {
  const release = textOf('/etc/os-release')
  const ids = /^ID(?:_LIKE)?=.*$/gm[Symbol.match](release)?.join(' ') ?? ''
  if (/debian|ubuntu/.test(ids)) return 'apt-get install dnf rpm'
  if (/suse/.test(ids)) return 'zypper install dnf'
  if (/arch/.test(ids)) return 'pacman -S dnf'
  return /fedora|rhel|centos/.test(ids) ? 'yum install dnf' : 'its package is called dnf'
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

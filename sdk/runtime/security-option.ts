import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'

/** What `--security-opt` asks for. */
export interface SecurityOptions {
  /** `unconfined`, or the path of a profile. Default: builder's own profile. */
  readonly seccomp?: string
  /** No program of the container can gain privileges by a set-user-ID bit or file capabilities (prctl(2)). */
  readonly noNewPrivileges?: boolean
  /** Leaves /proc and /sys as the kernel shows them: nothing hidden, nothing read-only. */
  readonly unmasked?: boolean
}

/**
 * Reads `--security-opt` values: `seccomp=unconfined`, `seccomp=FILE`, `no-new-privileges[=true|false]`; and
 * `label=disable` and `apparmor=unconfined`, which are what builder does anyway.
 *
 * Throws `USAGE` for what is not known, `UNSUPPORTED` for what cannot be honoured.
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  return Object.assign({}, ...options.map(parseOne))
}

function parseOne(option: string): SecurityOptions {
  const [, name = '', value] = /^([^=:]*)(?:[=:](.*))?$/.exec(option) ?? []
  if (name === 'seccomp' && value) return { seccomp: value }
  if (name === 'no-new-privileges' && (value === undefined || value === 'true')) return { noNewPrivileges: true }
  if (name === 'no-new-privileges' && value === 'false') return { noNewPrivileges: false }
  if (name === 'label' && value === 'disable') return {}
  if (name === 'apparmor' && value === 'unconfined') return {}
  const known = ['seccomp', 'no-new-privileges', 'label', 'apparmor']
  const near = nearestWord(name, known)
  throw known.includes(name)
    ? new BuilderError('UNSUPPORTED', {
        operation: 'read security option',
        object: JSON.stringify(option),
        reason: 'builder sets no label and loads no AppArmor profile',
        hint: 'leave it out, or write label=disable or apparmor=unconfined',
      })
    : new BuilderError('USAGE', {
        operation: 'read security option',
        object: JSON.stringify(option),
        reason: 'there is no such option',
        hint: near ? `did you mean ${near}?` : `known are ${known.join(', ')}`,
      })
}

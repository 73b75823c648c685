import { BuilderError } from '../../errors.js'
import { nearestWord } from '../../image/near-word.js'
import { parseEnv } from '../../runtime/environment.js'
import { checkEtc } from '../../runtime/etc-files.js'
import { parseBytes } from '../../runtime/mount-fields.js'
import { parseLimit } from '../../runtime/resource-limit.js'
import type { RunRequest } from '../../runtime/run.js'
import { parseSecurityOptions } from '../../runtime/security-option.js'
import type { ContainerRecord } from '../../store/container-record.js'
import type { RunOptions } from './options.js'

/**
 * What the options of a run say of its process, beside its mounts. Throws `USAGE` for what is wrongly written, and for `insecure` that
 * was not allowed; `UNSUPPORTED`.
 */
export function settingsOf(
  record: ContainerRecord,
  options: RunOptions,
): Omit<RunRequest, 'rootfs' | 'folder' | 'args' | 'mounts'> {
  const insecure = isInsecure(options)
  const { defaults, config } = record
  const wanted = options.isolation ?? defaults.isolation ?? process.env.BUILDAH_ISOLATION
  const isolation =
    wanted === undefined || wanted === ''
      ? {}
      : { isolation: wanted === 'chroot' ? ('chroot' as const) : ('oci' as const) }
  return {
    config: config.config ?? {},
    env: parseEnv([...(options.env ?? []), ...(options.buildArg ?? [])]),
    terminal: options.terminal ?? false,
    network: networkOf(options.network ?? defaults.network),
    capAdd: insecure ? ['ALL'] : commaLists(defaults.capAdd, options.capAdd),
    capDrop: insecure ? [] : commaLists(defaults.capDrop, options.capDrop),
    devices: [...(defaults.device ?? []), ...(options.device ?? [])],
    noHosts: options.noHosts ?? false,
    ...isolation,
    ...parseSecurityOptions([...(defaults.securityOpt ?? []), ...(options.securityOpt ?? [])]),
    ...(insecure ? { seccomp: 'unconfined', noNewPrivileges: false, unmasked: true } : {}),
    ...limitsOf(options),
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.workingdir === undefined ? {} : { cwd: options.workingdir }),
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
  }
}

/** Throws what {@link settingsOf}, and the files in /etc, throw for options that are wrongly written. */
export function checkSettings(options: RunOptions): void {
  const { addHosts, dns } = limitsOf(options)
  if (options.network !== undefined) networkOf(options.network)
  isInsecure(options)
  parseSecurityOptions(options.securityOpt ?? [])
  checkEtc({ addHosts, dns })
}

/** buildah takes `--cap-add A,B` as well as the flag twice. */
function commaLists(...lists: (readonly string[] | undefined)[]): string[] {
  return lists.flatMap((list) => list ?? []).flatMap((text) => text.split(',').filter(Boolean))
}

/** Source: buildx build, `--allow`: an entitlement that the user grants and the Containerfile's author asks for. */
function isInsecure({ security, allow = [] }: RunOptions): boolean {
  for (const one of allow) if (!entitlements.includes(one)) throw unknownEntitlement(one)
  if (security !== 'insecure' || allow.includes('security.insecure')) return security === 'insecure'
  throw new BuilderError('USAGE', {
    operation: 'run --security',
    object: 'insecure',
    reason: 'it gives the command all rights that builder has, and was not allowed',
    hint: 'add --allow security.insecure when you trust the command',
  })
}

const entitlements = ['security.insecure', 'network.host']

function unknownEntitlement(object: string): BuilderError {
  const near = nearestWord(object, entitlements)
  const hint = near ? `did you mean ${near}?` : `known are ${entitlements.join(', ')}`
  return new BuilderError('USAGE', { operation: 'run --allow', object, reason: 'there is no such entitlement', hint })
}

function limitsOf({ addHost, dns, dnsSearch, dnsOption, shmSize, ulimit }: RunOptions) {
  return {
    addHosts: addHost ?? [],
    dns: { servers: dns ?? [], search: dnsSearch ?? [], options: dnsOption ?? [] },
    limits: (ulimit ?? []).map(parseLimit),
    ...(shmSize === undefined ? {} : { shmSize: shmSizeOf(shmSize) }),
  }
}

function shmSizeOf(text: string): number {
  const bytes = parseBytes(text)
  if (bytes !== undefined && bytes > 0) return bytes
  const hint = 'write for example --shm-size 128m'
  throw new BuilderError('USAGE', { operation: 'run --shm-size', object: text, reason: 'it is not a size', hint })
}

function networkOf(network = 'host'): 'host' | 'none' | 'private' {
  if (network === 'default') return 'host'
  if (network === 'host' || network === 'none' || network === 'private') return network
  const hint = 'write host, none or private'
  throw new BuilderError('USAGE', {
    operation: 'run --network',
    object: network,
    reason: 'there is no such network',
    hint,
  })
}

import { readFileSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'

/** Sets of capabilities with the `CAP_` prefix. Source: OCI runtime-spec config.md, `process.capabilities`. */
export interface Capabilities {
  readonly bounding: readonly string[]
  readonly effective: readonly string[]
  readonly permitted: readonly string[]
  readonly inheritable: readonly string[]
  readonly ambient: readonly string[]
}

/** What a container's root may do when nothing else is said: the set of podman and buildah. */
export const defaultCapabilities: readonly string[] = capNames(
  'CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT',
)

/**
 * The capabilities of a process.
 *
 * Root has the whole set; any other user has none in effect but those added by name, which are then ambient, and the
 * set only bounds what it could gain: podman's rule. Names are taken with or without `CAP_`, in any case; `ALL` is
 * everything that builder itself may pass on.
 *
 * Throws `USAGE` for an unknown name and for one that is added and dropped, `UNSUPPORTED` when builder does not hold what is to be added.
 *
 * @param uid - The user inside the container.
 */
export function capabilitiesFor(uid: number, add: readonly string[] = [], drop: readonly string[] = []): Capabilities {
  const [adding, dropping] = [add.map(normalize), drop.map(normalize)]
  const held = heldCapabilities()
  const both = adding.find((name) => dropping.includes(name))
  if (both) throw addedAndDropped(both)
  const missing = adding.find((name) => name !== 'ALL' && !held.includes(name))
  if (missing) throw notHeld(missing)
  const start = dropping.includes('ALL') ? [] : adding.includes('ALL') ? held : defaultCapabilities
  const wanted = new Set([...start, ...adding])
  for (const name of dropping) wanted.delete(name)
  const bounding = held.filter((name) => wanted.has(name))
  if (uid === 0) return { bounding, effective: bounding, permitted: bounding, inheritable: [], ambient: [] }
  const own = bounding.filter((name) => adding.includes(name))
  return { bounding, effective: own, permitted: own, inheritable: own, ambient: own }
}

/** `net_admin`, `CAP_NET_ADMIN` … as `CAP_NET_ADMIN`; `all` as `ALL`. Throws `USAGE` with a suggestion. */
function normalize(text: string): string {
  const upper = text.toUpperCase()
  if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL'
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
  if (allCapabilities.includes(name)) return name
  const near = nearestWord(name, allCapabilities)
  throw new BuilderError('USAGE', {
    operation: 'set capability',
    object: JSON.stringify(text),
    reason: 'there is no such capability',
    hint: near ? `did you mean ${near}?` : 'see capabilities(7) for the names',
  })
}

/** The names that this process may pass on: its bounding set. In a restricted container this is less than the kernel's. */
function heldCapabilities(): readonly string[] {
  const mask = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'}`)
  return allCapabilities.filter((_, bit) => (mask >> BigInt(bit)) & 1n)
}

function addedAndDropped(name: string): BuilderError {
  return new BuilderError('USAGE', {
    operation: 'set capability',
    object: name,
    reason: 'it is both added and dropped',
    hint: 'leave out --cap-add or --cap-drop for it',
  })
}

function notHeld(name: string): BuilderError {
  return new BuilderError('UNSUPPORTED', {
    operation: 'add capability',
    object: name,
    reason: 'builder does not hold it here, so that it cannot give it to a container',
    hint: 'run builder where it may have this capability, or leave it out',
  })
}

function capNames(text: string): string[] {
  return text.split(' ').map((name) => `CAP_${name}`)
}

/** In the order of their numbers, from 0. Source: linux/capability.h. */
const allCapabilities: readonly string[] = capNames(
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
    'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT ' +
    'SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP ' +
    'MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE',
)

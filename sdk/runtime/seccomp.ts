import { readFileSync } from 'node:fs'
import { asBuilderError, BuilderError } from '../errors.js'
import { parseJson } from '../image/config.js'
import { allowedCalls, callsByCapability, refusedCalls } from './system-calls.js'

/** A filter of system calls. Source: OCI runtime-spec config-linux.md, `seccomp`. */
export interface Seccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures?: readonly string[]
  readonly syscalls?: readonly SeccompRule[]
}

/** What happens to some system calls, when all of `args` hold. */
export interface SeccompRule {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly { readonly index: number; readonly value: number; readonly op: string }[]
}

/**
 * The filter for a container with these capabilities: the field's rules (containers-common, moby), each call that is
 * named nowhere answered with ENOSYS.
 *
 * @param capabilities - The bounding set, with `CAP_`.
 */
export function defaultSeccomp(capabilities: readonly string[]): Seccomp {
  const closed = Object.keys(callsByCapability).filter((name) => !capabilities.includes(name))
  const opened = Object.keys(callsByCapability).filter((name) => capabilities.includes(name))
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: errno.ENOSYS,
    architectures: architectures[process.arch] ?? [],
    syscalls: [
      allow([...allowedCalls, ...callsOf(opened)]),
      { names: [...refusedCalls, ...callsOf(closed)], action: 'SCMP_ACT_ERRNO', errnoRet: errno.EPERM },
      ...personalities.map((value) => allow(['personality'], { index: 0, value, op: 'SCMP_CMP_EQ' })),
      ...socketRules(capabilities.includes('CAP_AUDIT_WRITE')),
    ],
  }
}

/**
 * A filter from a file in the form of the runtime specification, or of containers-common (`archMap`, `includes`,
 * `excludes`), which is brought into that form.
 *
 * Throws `SYSTEM` when the file cannot be read, `INVALID` when it is not a filter.
 */
export function readSeccomp(path: string, capabilities: readonly string[]): Seccomp {
  const value = parseJson(bytesOf(path), path) as Partial<ContainersProfile> | null
  if (typeof value?.defaultAction !== 'string' || (value.syscalls !== undefined && !Array.isArray(value.syscalls)))
    throw new BuilderError('INVALID', {
      operation: 'read seccomp profile',
      object: path,
      reason: 'it has no defaultAction, or syscalls is not a list',
      hint: 'see the seccomp section of the OCI runtime specification',
    })
  const rules = (value.syscalls ?? []).filter((rule) => applies(rule, capabilities))
  return {
    defaultAction: value.defaultAction,
    ...(value.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: value.defaultErrnoRet }),
    architectures: value.architectures ?? architectures[process.arch] ?? [],
    syscalls: rules.map(({ names, action, errnoRet, args }) => ({
      names,
      action,
      ...(errnoRet === undefined ? {} : { errnoRet }),
      ...(args?.length ? { args } : {}),
    })),
  }
}

interface ContainersProfile extends Omit<Seccomp, 'syscalls'> {
  readonly syscalls?: readonly (SeccompRule & { readonly includes?: Condition; readonly excludes?: Condition })[]
}

interface Condition {
  readonly caps?: readonly string[]
  readonly arches?: readonly string[]
}

function applies(rule: { includes?: Condition; excludes?: Condition }, capabilities: readonly string[]): boolean {
  const arch = archNames[process.arch] ?? process.arch
  const { includes = {}, excludes = {} } = rule
  if (includes.caps?.some((name) => !capabilities.includes(name))) return false
  if (includes.arches?.length && !includes.arches.includes(arch)) return false
  return !excludes.caps?.some((name) => capabilities.includes(name)) && !excludes.arches?.includes(arch)
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw asBuilderError(error, 'read seccomp profile', path)
  }
}

/**
 * socket(2): no AF_VSOCK (a way to the hypervisor), and no audit netlink without CAP_AUDIT_WRITE (EINVAL, so that
 * programs take the kernel to have no audit). A rule compares an argument once, hence one rule a family between the two.
 */
function socketRules(mayAudit: boolean): SeccompRule[] {
  const [family, protocol] = [0, 2]
  const between = Array.from({ length: AF.VSOCK - AF.NETLINK - 1 }, (_, i) => AF.NETLINK + 1 + i)
  const audit = { index: protocol, value: NETLINK_AUDIT }
  const netlink = { index: family, value: AF.NETLINK, op: 'SCMP_CMP_EQ' }
  return [
    allow(['socket'], { index: family, value: AF.NETLINK, op: 'SCMP_CMP_LT' }),
    allow(['socket'], { index: family, value: AF.VSOCK, op: 'SCMP_CMP_GT' }),
    ...between.map((value) => allow(['socket'], { index: family, value, op: 'SCMP_CMP_EQ' })),
    ...(mayAudit
      ? [allow(['socket'], netlink)]
      : [
          allow(['socket'], netlink, { ...audit, op: 'SCMP_CMP_NE' }),
          refuse(['socket'], errno.EINVAL, netlink, { ...audit, op: 'SCMP_CMP_EQ' }),
        ]),
    refuse(['socket'], errno.EPERM, { index: family, value: AF.VSOCK, op: 'SCMP_CMP_EQ' }),
  ]
}

function allow(names: readonly string[], ...args: NonNullable<SeccompRule['args']>): SeccompRule {
  return { names, action: 'SCMP_ACT_ALLOW', ...(args.length ? { args } : {}) }
}

function refuse(names: readonly string[], errnoRet: number, ...args: NonNullable<SeccompRule['args']>): SeccompRule {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet, args }
}

function callsOf(capabilities: readonly string[]): string[] {
  return capabilities.flatMap((name) => callsByCapability[name] ?? [])
}

const errno = { EPERM: 1, EINVAL: 22, ENOSYS: 38 } as const
const AF = { NETLINK: 16, VSOCK: 40 } as const
const NETLINK_AUDIT = 9

/** PER_LINUX, PER_LINUX32, both with UNAME26, and the question (0xffffffff). Source: linux/personality.h. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]

/** With the 32-bit ABI of the same processor. x32 is left out: kernels ship without it, and it doubles the start's cost. */
const architectures: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  arm: ['SCMP_ARCH_ARM'],
  ia32: ['SCMP_ARCH_X86'],
  ppc64: ['SCMP_ARCH_PPC64LE'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
  riscv64: ['SCMP_ARCH_RISCV64'],
  loong64: ['SCMP_ARCH_LOONGARCH64'],
}

const archNames: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'x86', ppc64: 'ppc64le' }

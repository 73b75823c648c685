/**
 * The system calls that Node does not have: mounts, extended attributes, device nodes, times in nanoseconds.
 * Through koffi, which carries its own binary; loaded at the first call, for it costs about 10 ms.
 * Paths are bytes, for a file name need not be UTF-8.
 */
import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { getSystemErrorMap } from 'node:util'

export type Path = string | Buffer

/** Flags of mount(2) and umount2(2). */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 32,
  BIND: 4096,
  REC: 16384,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
} as const
export const MNT = { FORCE: 1, DETACH: 2, NOFOLLOW: 8 } as const

/** mount(2). Throws a system error with `code`, `syscall` and `path`. */
export function mount(source: Path, target: Path, type: string | null, flags: number, data: string | null): void {
  check(libc().mount(cstr(source), cstr(target), type, flags, data), 'mount', target)
}

/** umount2(2). */
export function umount(target: Path, flags = 0): void {
  check(libc().umount2(cstr(target), flags), 'umount', target)
}

/** Names (bytes as latin1, sorted) of a file's extended attributes, never following a link. Empty where there are none. */
export function listXattrs(path: Path): string[] {
  const length = Number(libc().llistxattr(cstr(path), scratch, scratch.length))
  if (length === 0) return []
  if (length < 0) {
    if (absent.has(errnoName())) return []
    throw systemError('llistxattr', path)
  }
  return scratch
    .toString('latin1', 0, length - 1)
    .split('\0')
    .sort()
}

/** A value of an extended attribute, never following a link; undefined when it is not there. */
export function getXattr(path: Path, name: string): Buffer | undefined {
  const length = Number(libc().lgetxattr(cstr(path), xattrName(name), scratch, scratch.length))
  if (length >= 0) return Buffer.from(scratch.subarray(0, length))
  if (absent.has(errnoName())) return undefined
  throw systemError('lgetxattr', path)
}

export function setXattr(path: Path, name: string, value: Uint8Array): void {
  check(libc().lsetxattr(cstr(path), xattrName(name), value, value.length, 0), 'lsetxattr', path)
}

export function removeXattr(path: Path, name: string): void {
  check(libc().lremovexattr(cstr(path), xattrName(name)), 'lremovexattr', path)
}

/** mknod(2); `mode` holds the type bits (`0o010000` fifo, `0o020000` character, `0o060000` block device). */
export function mknod(path: Path, mode: number, major = 0, minor = 0): void {
  check(libc().mknod(cstr(path), mode, makedev(major, minor)), 'mknod', path)
}

/**
 * Sets a modification (and access) time in nanoseconds since 1970: of a path, never following a link, or of an open
 * file.
 */
export function setMtime(file: Path | number, nanoseconds: bigint): void {
  const seconds = nanoseconds >= 0n ? nanoseconds / billion : -((-nanoseconds + billion - 1n) / billion)
  times[0] = times[2] = seconds
  times[1] = times[3] = nanoseconds - seconds * billion
  if (typeof file === 'number') check(libc().futimens(file, timesBytes), 'futimens', `file descriptor ${file}`)
  else check(libc().utimensat(-100, cstr(file), timesBytes, 0x100), 'utimensat', file)
}

/** renameat2(2) with RENAME_NOREPLACE (1) or RENAME_EXCHANGE (2). */
export function rename2(from: Path, to: Path, flags: number): void {
  check(libc().renameat2(-100, cstr(from), -100, cstr(to), flags), 'renameat2', to)
}

/**
 * A descriptor of another process as one of this process: the same open file, with its offset. pidfd_getfd(2), Linux 5.6.
 * Throws `EPERM` for a process that this one may not trace.
 */
export function descriptorOf(pid: number, descriptor: number): number {
  const process = check(libc().syscall(434, pid, 0, 0), 'pidfd_open', `${pid}`)
  try {
    return check(libc().syscall(438, process, descriptor, 0), 'pidfd_getfd', `${pid}`)
  } finally {
    closeSync(process)
  }
}

/** pidfd_open(2), Linux 5.3; undefined where that is not to be had. */
export function openProcess(pid: number): number | undefined {
  const descriptor = Number(libc().syscall(434, pid, 0, 0))
  return descriptor < 0 ? undefined : descriptor
}

/** The two ends of a new pipe: to read, and to write. pipe2(2). */
export function newPipe(): readonly [number, number] {
  const ends = new Int32Array(2)
  check(libc().pipe2(ends, closeOnExec), 'pipe2', 'a pipe')
  return [ends[0] as number, ends[1] as number]
}

/** Resolves when one of some descriptors can be read, or has a hang-up; holds a thread of Node's pool so long. poll(2). */
export function waitReadable(descriptors: readonly number[]): Promise<void> {
  const polled = Buffer.alloc(8 * descriptors.length)
  for (const [i, descriptor] of descriptors.entries()) {
    polled.writeInt32LE(descriptor, 8 * i)
    polled.writeInt16LE(1, 8 * i + 4)
  }
  return new Promise((resolve) => libc().poll.async(polled, descriptors.length, -1, () => resolve()))
}

/** What a pipe or a socket has at this moment: whether its writer is gone, and how many bytes can be read. poll(2), ioctl_tty(2). */
export function pollNow(descriptor: number): { readonly hungUp: boolean; readonly unread: number } {
  const polled = Buffer.alloc(8)
  polled.writeInt32LE(descriptor)
  polled.writeInt16LE(pollReadHangUp, 4)
  check(libc().pollNow(polled, 1, 0), 'poll', `file descriptor ${descriptor}`)
  const unread = new Int32Array(1)
  check(libc().ioctl(descriptor, fionread, unread), 'ioctl', `file descriptor ${descriptor}`)
  const hungUp = (polled.readInt16LE(6) & (pollHangUp | pollReadHangUp)) !== 0
  return { hungUp, unread: unread[0] as number }
}

/** setpgid(2) of this process: false when it may not join that group, as one of another terminal. */
export function setProcessGroup(group: number): boolean {
  return Number(libc().setpgid(0, group)) === 0
}

/** Linux's encoding of a device number. */
export function makedev(major: number, minor: number): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)]
  return ((a & 0xfffff000n) << 32n) | ((a & 0xfffn) << 8n) | ((b & 0xffffff00n) << 12n) | (b & 0xffn)
}

export function majorOf(dev: bigint): number {
  return Number(((dev >> 32n) & 0xfffff000n) | ((dev >> 8n) & 0xfffn))
}

export function minorOf(dev: bigint): number {
  return Number(((dev >> 12n) & 0xffffff00n) | (dev & 0xffn))
}

/** Forgets what was typed at a terminal and not read yet. Does nothing for what is no terminal. Source: tcflush(3), TCIFLUSH. */
export function dropTyped(descriptor: number): void {
  libc().ioctl(descriptor, tcflsh, null)
}

/** Source: asm-generic/poll.h, asm-generic/ioctls.h. */
const [pollHangUp, pollReadHangUp, fionread, tcflsh] = [0x10, 0x2000, 0x541b, 0x540b]
/** O_CLOEXEC. Source: asm-generic/fcntl.h. */
const closeOnExec = 0o2000000
const billion = 1_000_000_000n
const times = new BigInt64Array(4)
const timesBytes = Buffer.from(times.buffer)
const scratch = Buffer.alloc(65536)
const absent = new Set(['ENODATA', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

type Call = (...args: unknown[]) => number | bigint

interface Libc {
  readonly errno: () => number
  readonly mount: Call
  readonly umount2: Call
  readonly llistxattr: Call
  readonly lgetxattr: Call
  readonly lsetxattr: Call
  readonly lremovexattr: Call
  readonly mknod: Call
  readonly utimensat: Call
  readonly futimens: Call
  readonly renameat2: Call
  readonly syscall: Call
  readonly pipe2: Call
  readonly poll: { async(...args: unknown[]): void }
  readonly pollNow: Call
  readonly ioctl: Call
  readonly setpgid: Call
}

let loaded: Libc | undefined

function libc(): Libc {
  if (loaded) return loaded
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
  const library = koffi.load(null)
  const call = (prototype: string) => library.func(prototype) as unknown as Call
  loaded = {
    errno: () => koffi.errno(),
    mount: call('int mount(const uint8_t*, const uint8_t*, const char*, unsigned long, const char*)'),
    umount2: call('int umount2(const uint8_t*, int)'),
    llistxattr: call('int64_t llistxattr(const uint8_t*, void*, size_t)'),
    lgetxattr: call('int64_t lgetxattr(const uint8_t*, const uint8_t*, void*, size_t)'),
    lsetxattr: call('int lsetxattr(const uint8_t*, const uint8_t*, const void*, size_t, int)'),
    lremovexattr: call('int lremovexattr(const uint8_t*, const uint8_t*)'),
    mknod: call('int mknod(const uint8_t*, uint32_t, uint64_t)'),
    utimensat: call('int utimensat(int, const uint8_t*, const void*, int)'),
    futimens: call('int futimens(int, const void*)'),
    renameat2: call('int renameat2(int, const uint8_t*, int, const uint8_t*, unsigned int)'),
    syscall: call('long syscall(long, long, long, long)'),
    setpgid: call('int setpgid(int, int)'),
    pipe2: call('int pipe2(void*, int)'),
    pollNow: call('int poll(void*, unsigned long, int)'),
    ioctl: call('int ioctl(int, unsigned long, void*)'),
    poll: library.func('int poll(void*, unsigned long, int)') as unknown as Libc['poll'],
  }
  return loaded
}

function cstr(path: Path): Buffer {
  const terminated = typeof path === 'string' ? Buffer.from(`${path}\0`) : Buffer.concat([path, nul])
  if (terminated.indexOf(0) !== terminated.length - 1) throw new TypeError('a path holds a NUL byte')
  return terminated
}

/** Names of attributes are bytes too; {@link listXattrs} gives them as latin1. */
function xattrName(name: string): Buffer {
  return cstr(Buffer.from(name, 'latin1'))
}

const nul = Buffer.from([0])

function check(result: number | bigint, syscall: string, path: Path): number {
  if (Number(result) < 0) throw systemError(syscall, path)
  return Number(result)
}

function errnoName(): string {
  const errno = libc().errno()
  return getSystemErrorMap().get(-errno)?.[0] ?? errnoCodes[errno] ?? `errno ${errno}`
}

function systemError(syscall: string, path: Path): NodeJS.ErrnoException {
  const errno = libc().errno()
  const [code, text] = getSystemErrorMap().get(-errno) ?? [errnoCodes[errno] ?? `errno ${errno}`, 'unknown error']
  const at = path.toString()
  return Object.assign(new Error(`${code}: ${text}, ${syscall} '${at}'`), { errno: -errno, code, syscall, path: at })
}

/** What libuv's table does not name. */
const errnoCodes: Readonly<Record<number, string>> = { 61: 'ENODATA', 38: 'ENOSYS', 95: 'ENOTSUP' }

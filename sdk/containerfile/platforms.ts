import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from '../image/platform.js'

/**
 * The platforms that a build is asked for: every `--platform`, each with commas between several; each platform once, in the
 * order they came; `local` is this machine's. Without any it is this machine's alone. Throws `USAGE`.
 */
export function platformsOf(asked: readonly string[] = []): readonly Platform[] {
  const words = asked.flatMap((text) => text.split(',').map((word) => word.trim()))
  const found = new Map<string, Platform>()
  for (const word of words) {
    const platform = word === 'local' ? hostPlatform() : parsePlatform(word)
    found.set(formatPlatform(platform), platform)
  }
  return found.size > 0 ? [...found.values()] : [hostPlatform()]
}

/**
 * Whether programs of a platform run on this machine: its own, or through an interpreter that binfmt_misc starts, which must
 * be open already (flag F), for a container does not have its file. Throws `UNSUPPORTED` with what to install.
 *
 * @param binfmt - Where the kernel shows its interpreters.
 */
export function checkRunnable(platform: Platform, binfmt = '/proc/sys/fs/binfmt_misc'): void {
  const { os, architecture } = platform
  if (os !== 'linux') throw unrunnable(platform, `this is not a machine of ${os}`, 'build that platform elsewhere')
  const host = hostPlatform().architecture
  if (architecture === host || natives[host]?.includes(architecture)) return
  const header = headerOf(architecture)
  const fitting = header ? interpreters(binfmt).filter((one) => one.fits(header)) : []
  if (fitting.some(({ flags }) => flags.includes('F'))) return
  const [first] = fitting
  if (first) {
    const reason = `this machine runs its programs with ${first.path}, which a container does not have`
    throw unrunnable(platform, reason, 'register it with the flag F, as the package qemu-user-static does')
  }
  const hint = 'install qemu-user-static and binfmt-support on this machine, or leave RUN out of what is built for it'
  throw unrunnable(platform, `this machine, ${host}, has nothing that runs its programs`, hint)
}

/** Whether a file that begins so is a program of this machine. */
export function isNative(start: Uint8Array): boolean {
  const host = hostPlatform().architecture
  return [host, ...(natives[host] ?? [])].some((architecture) => {
    const header = headerOf(architecture)
    return header !== undefined && compared.every((at) => header[at] === start[at])
  })
}

/** The magic, class and byte order, and the machine. Source: elf(5). */
const compared = [0, 1, 2, 3, 4, 5, 18, 19]

/** An entry of binfmt_misc. Source: Linux, admin-guide/binfmt-misc. */
interface Interpreter {
  readonly path: string
  readonly flags: string
  readonly fits: (header: Buffer) => boolean
}

function interpreters(folder: string): readonly Interpreter[] {
  return namesIn(folder)
    .filter((name) => name !== 'register' && name !== 'status')
    .flatMap((name) => readInterpreter(join(folder, name)))
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readInterpreter(file: string): readonly Interpreter[] {
  const text = textOf(file)
  if (!text.startsWith('enabled')) return []
  const value = (name: string) => new RegExp(`^${name}:? (.*)$`, 'm').exec(text)?.[1]?.trim() ?? ''
  const magic = Buffer.from(value('magic'), 'hex')
  if (magic.length === 0) return []
  const mask = Buffer.from(value('mask'), 'hex')
  const offset = Number(value('offset') || '0')
  const fits = (header: Buffer) =>
    magic.every((byte, i) => (((header[offset + i] ?? 0) ^ byte) & (mask[i] ?? 0xff)) === 0)
  return [{ path: value('interpreter'), flags: value('flags'), fits }]
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

/** The beginning of a program of an architecture. Source: elf(5). */
function headerOf(architecture: string): Buffer | undefined {
  const known = machines[architecture]
  if (!known) return undefined
  const [machine, bits, order] = known
  const header = Buffer.alloc(64)
  header.write('\x7fELF', 'latin1')
  header.set([bits === 64 ? 2 : 1, order === 'little' ? 1 : 2, 1], 4)
  const write = (value: number, at: number) =>
    order === 'little' ? header.writeUInt16LE(value, at) : header.writeUInt16BE(value, at)
  write(2, 16)
  write(machine, 18)
  return header
}

/** e_machine, class and byte order. */
const machines: Readonly<Record<string, readonly [number, 32 | 64, 'little' | 'big']>> = {
  '386': [3, 32, 'little'],
  amd64: [62, 64, 'little'],
  arm: [40, 32, 'little'],
  arm64: [183, 64, 'little'],
  loong64: [258, 64, 'little'],
  mips: [8, 32, 'big'],
  mips64: [8, 64, 'big'],
  mips64le: [8, 64, 'little'],
  mipsle: [8, 32, 'little'],
  ppc64: [21, 64, 'big'],
  ppc64le: [21, 64, 'little'],
  riscv64: [243, 64, 'little'],
  s390x: [22, 64, 'big'],
}

/** What a kernel runs beside its own programs. */
const natives: Readonly<Record<string, readonly string[]>> = { amd64: ['386'], arm64: ['arm'] }

function unrunnable(platform: Platform, reason: string, hint: string): BuilderError {
  return new BuilderError('UNSUPPORTED', { operation: 'RUN for', object: formatPlatform(platform), reason, hint })
}

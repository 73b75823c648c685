/**
 * Host programs together with what they need to start: what builders of images without a distribution do by hand.
 * Nothing is executed: the files are read as the kernel (execve(2)) and the loader (ld.so(8)) would read them.
 */
import { open, readlink, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { type ElfFile, readElf } from './elf.js'
import { librariesOf } from './libraries.js'

/** A symbolic link, with its target as it is written on the host. */
export interface ClosureLink {
  readonly path: string
  readonly target: string
}

/**
 * What has to be in a root file system for programs to start there. Paths are absolute, and the same on the host and in
 * the root; both lists are sorted by bytes.
 */
export interface Closure {
  /** Where the programs' own files are, links followed; in the order in which they were asked for. */
  readonly programs: readonly string[]
  /** Regular files, the programs among them. No link stands in their paths. */
  readonly files: readonly string[]
  /** The links on the way to the files (`/lib` to `usr/lib`, a library's soname), folders before what is in them. */
  readonly links: readonly ClosureLink[]
}

/**
 * Finds the loader, the shared libraries and, for scripts, the interpreters of programs, with theirs in turn.
 *
 * What a program opens by itself later is not found: plug-ins, name service modules, locales, character sets.
 * A library that the host's loader finds only by its cache gets a link in a folder that the loader always searches, so
 * that the root needs no cache. Variants for newer processors (glibc-hwcaps) are left out.
 *
 * @param programs - Paths; relative ones start at the working directory.
 * @throws BuilderError `NOT_FOUND` for a program, an interpreter or a library that is not there, naming who needs it;
 *   `INVALID` for a file that is neither ELF nor a script, or breaks its format.
 * @example
 * ```ts
 * import { closureOf } from './closure.js'
 * const { files, links } = await closureOf(['/usr/bin/env'])
 * for (const { path, target } of links) console.log(`${path} -> ${target}`) // /lib -> usr/lib
 * for (const file of files) console.log(file) // /usr/bin/env, /usr/lib/x86_64-linux-gnu/libc.so.6
 * ```
 */
export async function closureOf(programs: readonly string[]): Promise<Closure> {
  const gathered = new Gathered()
  const places: string[] = []
  for (const program of programs) places.push(await addProgram(gathered, resolve(program), []))
  return {
    programs: places,
    files: [...gathered.files].sort(byBytes),
    links: [...gathered.links].map(([path, target]) => ({ path, target })).sort((a, b) => byBytes(a.path, b.path)),
  }
}

// `chain` is how it came to this program: a script, its interpreter, that script's interpreter.
async function addProgram(gathered: Gathered, path: string, chain: readonly string[]): Promise<string> {
  if (!(await isThere(path))) throw notFound(path, chain)
  const place = await gathered.walk(path)
  if (gathered.files.has(place)) return place
  gathered.files.add(place)
  const elf = await readElf(place).catch((error) => {
    throw asBuilderError(error, operation, path)
  })
  if (elf) await addLibraries(gathered, place, elf)
  else await addInterpreters(gathered, place, [...chain, path])
  return place
}

async function addLibraries(gathered: Gathered, place: string, elf: ElfFile): Promise<void> {
  if (elf.interpreter === undefined) return
  if (!(await isThere(elf.interpreter))) throw notFound(elf.interpreter, [place])
  gathered.files.add(await gathered.walk(elf.interpreter))
  for (const { path, seenAt } of await librariesOf(place, elf, elf.interpreter)) {
    gathered.files.add(await gathered.walk(path))
    if (seenAt !== path) await gathered.link(seenAt, path)
  }
}

// execve(2): an interpreter may be a script itself, four times.
async function addInterpreters(gathered: Gathered, place: string, chain: readonly string[]): Promise<void> {
  const [interpreter, ...words] = await interpreterLine(place)
  if (interpreter === undefined)
    throw invalid(place, 'it is neither an ELF program nor a script', 'a script begins with #! and its interpreter')
  if (chain.length > 5) throw invalid(chain[0] ?? place, 'its interpreters are scripts more than four deep')
  await addProgram(gathered, resolve(interpreter), chain)
  if (basename(interpreter) !== 'env') return
  const name = words.find((word) => !word.startsWith('-') && !word.includes('='))
  if (name !== undefined) await addProgram(gathered, await onPath(name, chain), chain)
}

// The kernel reads 256 bytes of the line.
async function interpreterLine(path: string): Promise<string[]> {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0)
  const [line = ''] = buffer.toString('utf8', 0, bytesRead).split('\n')
  return line.startsWith('#!') ? line.slice(2).trim().split(/\s+/).filter(Boolean) : []
}

// Where `env` looks in a container that sets no PATH of its own, and not what the caller's PATH happens to be.
async function onPath(name: string, chain: readonly string[]): Promise<string> {
  if (name.includes('/')) return resolve(name)
  for (const folder of ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'])
    if (await isThere(join(folder, name))) return join(folder, name)
  throw notFound(name, chain)
}

/** The files and links of a closure while it grows. */
class Gathered {
  readonly files = new Set<string>()
  readonly links = new Map<string, string>()

  /** Follows a path link by link, keeps every link, and gives the place where it ends. What is not there is kept as named. */
  async walk(path: string): Promise<string> {
    const parts = path.split('/')
    let [at, followed] = ['', 0]
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      if (part === '' || part === '.') continue
      const next = part === '..' ? resolve(at || '/', '..').replace(/^\/$/, '') : `${at}/${part}`
      const target = part === '..' ? undefined : await readlink(next).catch(() => undefined)
      if (target !== undefined && ++followed > 40) throw invalid(path, 'its symbolic links run in a circle')
      if (target !== undefined) this.links.set(next, target)
      if (target !== undefined) parts.unshift(...target.split('/'))
      at = target === undefined ? next : target.startsWith('/') ? '' : at
    }
    return at || '/'
  }

  /** Adds a link that the host does not have. */
  async link(path: string, target: string): Promise<void> {
    const place = await this.walk(path)
    if (!this.files.has(place)) this.links.set(place, target)
  }
}

async function isThere(path: string): Promise<boolean> {
  const found = await stat(path).catch((error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw asBuilderError(error, operation, path)
  })
  if (found && !found.isFile()) throw invalid(path, 'it is not a regular file', 'name a program')
  return found !== undefined
}

const operation = 'closure'

function notFound(object: string, chain: readonly string[]): BuilderError {
  const reason = chain.length === 0 ? 'it does not exist' : `it does not exist, and ${chain.join(' through ')} needs it`
  const hint = chain.length === 0 ? 'check the path' : 'install the package that has it'
  return new BuilderError('NOT_FOUND', { operation, object, reason, hint })
}

function invalid(object: string, reason: string, hint?: string): BuilderError {
  return new BuilderError('INVALID', { operation, object, reason, ...(hint !== undefined && { hint }) })
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

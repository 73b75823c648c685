import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { asBuilderError, BuilderError } from '../errors.js'
import { Input } from '../layer/input.js'
import { type Content, type Member, readTar } from '../layer/read.js'
import { hostEnvironment, needProgram } from '../runtime/programs.js'
import { type Paragraph, parseParagraph } from './control.js'

/** What a Debian package says of itself. */
export interface DebControl {
  /** Its control file, as it stands. */
  readonly text: string
  readonly fields: Paragraph
  /** Lines `MD5  path` of its files; empty where it brings none. */
  readonly md5sums: string
  /** Seconds since 1970 when it was built: no file in it is younger, for dpkg-deb clamps their times to that. */
  readonly built: number
}

/** Reads a package's control files. Throws `INVALID` for what is no package, `UNSUPPORTED` without dpkg-deb. */
export async function readDebControl(path: string, operation: string, signal?: AbortSignal): Promise<DebControl> {
  const files = new Map<string, Buffer[]>()
  await readPart('--ctrl-tarfile', path, operation, signal, (member) => {
    const name = member.name.replace(/^\.\//, '')
    if (member.type !== 'file' || (name !== 'control' && name !== 'md5sums')) return undefined
    const chunks: Buffer[] = []
    files.set(name, chunks)
    return { write: (bytes) => void chunks.push(Buffer.from(bytes)), end: () => {}, discard: () => {} }
  })
  const textOf = (name: string) => Buffer.concat(files.get(name) ?? []).toString()
  const text = textOf('control')
  const fields = parseParagraph(text)
  if (!fields.get('package') || !fields.get('version')) throw damaged(path, operation)
  return { text, fields, md5sums: textOf('md5sums'), built: await builtAt(path) }
}

/** Reads the files of a package, in its order. Throws as {@link readDebControl}, and what `visit` throws. */
export function readDebFiles(
  path: string,
  operation: string,
  signal: AbortSignal | undefined,
  visit: (member: Member) => Content | undefined,
): Promise<void> {
  return readPart('--fsys-tarfile', path, operation, signal, visit)
}

async function readPart(
  part: '--ctrl-tarfile' | '--fsys-tarfile',
  path: string,
  operation: string,
  signal: AbortSignal | undefined,
  visit: (member: Member) => Content | undefined,
): Promise<void> {
  const program = needProgram('dpkg-deb', 'dpkg', operation)
  const child = spawn(program, [part, path], { stdio: ['ignore', 'pipe', 'pipe'], env: hostEnvironment() })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-1000)
  })
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127))
    child.once('close', (code) => resolve(code ?? 137))
  })
  const reader = readTar(new Input(), visit)
  try {
    reader.next()
    let breath = performance.now()
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      signal?.throwIfAborted()
      if (chunk.length > 0) reader.next(chunk)
      if (performance.now() - breath < patience) continue
      await setImmediate()
      breath = performance.now()
    }
    if ((await ended) !== 0) throw damaged(path, operation, said)
    reader.next(undefined)
  } catch (error) {
    // What dpkg-deb says of a damaged package tells more than a tar that stops in the middle.
    if (error instanceof BuilderError && error.code === 'INVALID' && (await ended) !== 0)
      throw damaged(path, operation, said)
    throw asBuilderError(error, operation, path)
  } finally {
    reader.return()
    child.kill('SIGKILL')
  }
}

/** The time of the first member of the archive. Source: deb(5), ar(5). */
async function builtAt(path: string): Promise<number> {
  await using file = await open(path)
  const { buffer } = await file.read(Buffer.alloc(36), 0, 36, 0)
  const seconds = Number(buffer.toString('latin1', 24, 36).trim())
  return Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : 0
}

function damaged(object: string, operation: string, said = ''): BuilderError {
  const detail = said.trim().split('\n').at(-1) ?? ''
  const reason = `it is not a whole Debian package${detail === '' ? '' : `: ${detail.replace(/^dpkg-deb: (error: )?/, '')}`}`
  return new BuilderError('INVALID', { operation, object, reason, hint: 'get it again' })
}

/** Milliseconds for which the event loop may be kept waiting. */
const patience = 20

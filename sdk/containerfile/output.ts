import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'

/** Where a build's result goes, beside the store. */
export type BuildOutput =
  /** The files, into a folder. */
  | { readonly type: 'local'; readonly dest: string; readonly platformSplit: boolean }
  /** The files, as a tar archive; `-` is standard output. */
  | { readonly type: 'tar'; readonly dest: string }
  /** The image, as an archive or a layout; `-` is standard output. */
  | (Shape & { readonly type: 'oci'; readonly dest: string; readonly tar: boolean })
  /** The image, as docker's archive, or into docker itself where there is no `dest`. */
  | (Shape & { readonly type: 'docker'; readonly dest?: string })
  /** The image, in the store under names, and with `push` in their registries. */
  | (Shape & { readonly type: 'image'; readonly push: boolean })
  | { readonly type: 'cacheonly' }

/** What an image is to be like where it goes. */
interface Shape {
  /** Names beside those of `--tag`. */
  readonly names: readonly string[]
  readonly compression?: 'gzip' | 'zstd' | 'none'
  readonly compressionLevel?: number
  readonly forceCompression?: boolean
  /** Docker's media types. */
  readonly isDockerFormat?: boolean
}

/**
 * Reads `--output` values: `type=local,dest=DIR`, `type=tar,dest=FILE`, `type=oci,dest=FILE[,tar=false]`, `type=docker[,dest=FILE]`,
 * `type=image,name=NAME[,push=true]`, `type=registry,name=NAME`, `type=cacheonly`; `DIR` alone and `-` (a tar on standard output).
 * Throws `USAGE`. Source: Docker reference, docker buildx build, "--output".
 */
export function parseOutputs(texts: readonly string[] = []): readonly BuildOutput[] {
  const outputs = texts.map(parseOutput)
  const streams = outputs.filter((output) => 'dest' in output && output.dest === '-')
  if (streams.length < 2) return outputs
  throw usage(texts.join(' '), 'only one of them can go to standard output', 'give the others a file with dest=')
}

/** The names that outputs give to the image. */
export function outputNames(outputs: readonly BuildOutput[]): readonly string[] {
  return outputs.flatMap((output) => ('names' in output ? output.names : []))
}

/** Whether something goes to standard output, where nothing else may go then. */
export function writesToStdout(outputs: readonly BuildOutput[]): boolean {
  return outputs.some((output) => 'dest' in output && output.dest === '-')
}

function parseOutput(text: string): BuildOutput {
  if (text === '') throw usage('""', 'it is empty', 'write -o DIR')
  if (text === '-') return { type: 'tar', dest: '-' }
  const fields = fieldsOf(text)
  if (fields.length === 1 && !text.includes('=')) return { type: 'local', dest: text, platformSplit: true }
  const values = new Map(fields.map((field) => pairOf(field, text)))
  const type = values.get('type')
  if (type === undefined) throw usage(text, 'it has no type', `write type=${types.join(', type=')}`)
  const known = attributes[type]
  if (!known) throw unknown(text, `type ${type}`, type, types)
  const strange = [...values.keys()].find((key) => !known.includes(key))
  if (strange !== undefined) throw unknown(text, `${strange}= for type=${type}`, strange, known)
  return make(type, values, text)
}

const shape = ['name', 'compression', 'compression-level', 'force-compression', 'oci-mediatypes']
const attributes: Readonly<Record<string, readonly string[]>> = {
  local: ['type', 'dest', 'platform-split'],
  tar: ['type', 'dest'],
  oci: ['type', 'dest', 'tar', ...shape],
  docker: ['type', 'dest', ...shape],
  image: ['type', 'push', ...shape],
  registry: ['type', 'push', ...shape],
  cacheonly: ['type'],
}
const types = Object.keys(attributes)

function make(type: string, values: ReadonlyMap<string, string>, text: string): BuildOutput {
  const dest = values.get('dest')
  const flag = (key: string, otherwise: boolean) => flagOf(key, values.get(key), otherwise, text)
  if (type === 'cacheonly') return { type }
  if (type === 'image' || type === 'registry')
    return { type: 'image', push: flag('push', type === 'registry'), ...shapeOf(values, text) }
  if (type === 'docker') return { type, ...(dest ? { dest: place(dest, text) } : {}), ...shapeOf(values, text) }
  if (dest === undefined || dest === '') throw usage(text, 'it has no dest', `write type=${type},dest=PATH`)
  if (type === 'tar') return { type, dest }
  if (type === 'oci') return { type, dest: place(dest, text), tar: flag('tar', true), ...shapeOf(values, text) }
  if (dest === '-') throw usage(text, 'a folder cannot go to standard output', 'write type=tar,dest=-')
  return { type: 'local', dest, platformSplit: flag('platform-split', true) }
}

function shapeOf(values: ReadonlyMap<string, string>, text: string): Shape {
  const compression = values.get('compression')
  const level = values.get('compression-level')
  const format = compression === 'uncompressed' ? 'none' : compression
  if (format !== undefined && format !== 'none' && format !== 'gzip' && format !== 'zstd')
    throw usage(text, `compression=${format} is unknown`, 'known are gzip, zstd and uncompressed')
  if (level !== undefined && !/^\d{1,2}$/.test(level))
    throw usage(text, `compression-level=${level} is no number`, 'write 1 to 9 for gzip, 1 to 22 for zstd')
  const isForced = flagOf('force-compression', values.get('force-compression'), false, text)
  const isOci = flagOf('oci-mediatypes', values.get('oci-mediatypes'), true, text)
  const names = (values.get('name') ?? '').split(',').filter((name) => name !== '')
  return {
    names,
    ...(format === undefined ? {} : { compression: format }),
    ...(level === undefined ? {} : { compressionLevel: Number(level) }),
    ...(isForced ? { forceCompression: true } : {}),
    ...(isOci ? {} : { isDockerFormat: true }),
  }
}

/** The transports read a colon as the beginning of a name. */
function place(dest: string, text: string): string {
  if (!dest.includes(':')) return dest
  throw usage(text, 'its dest has a colon', 'choose a path without one, and say the name with name=')
}

/** A line of CSV: a field in double quotes may hold commas. Source: RFC 4180. */
function fieldsOf(text: string): readonly string[] {
  const fields = text.match(/(?:"(?:[^"]|"")*"|[^,])+/g) ?? []
  return fields.map((field) => (/^".*"$/s.test(field) ? field.slice(1, -1).replaceAll('""', '"') : field))
}

function pairOf(field: string, text: string): readonly [string, string] {
  const at = field.indexOf('=')
  if (at > 0) return [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1)]
  throw usage(text, `${JSON.stringify(field)} is not KEY=VALUE`, 'write for example type=local,dest=out')
}

function flagOf(key: string, value: string | undefined, otherwise: boolean, text: string): boolean {
  if (value === undefined) return otherwise
  if (/^(?:true|1)$/i.test(value)) return true
  if (/^(?:false|0)$/i.test(value)) return false
  throw usage(text, `${key}=${value} is neither true nor false`, `write ${key}=true`)
}

function unknown(text: string, what: string, word: string, known: readonly string[]): BuilderError {
  const near = nearestWord(word, known)
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`
  return usage(text, `it has an unknown ${what}`, hint)
}

function usage(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('USAGE', { operation: 'read --output', object, reason, hint })
}

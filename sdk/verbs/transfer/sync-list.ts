import { readFile } from 'node:fs/promises'
import { asBuilderError, BuilderError } from '../../errors.js'
import { nearestWord } from '../../image/near-word.js'
import type { RegistryOptions } from '../../transport/registry/access.js'

/** What a list names of one registry. */
export interface SyncRegistry {
  /** `host[:port]`, perhaps with a path. */
  readonly registry: string
  /** Tags and digests by repository; no tag means every tag. */
  readonly images: ReadonlyMap<string, readonly string[]>
  /** Which tags of a repository. */
  readonly patterns: ReadonlyMap<string, RegExp>
  readonly access: RegistryOptions
}

/**
 * Reads a list in the format of skopeo-sync(1): registries with `images`, `images-by-tag-regex`, `credentials`, `tls-verify`
 * and `cert-dir`. Throws `NOT_FOUND`, `INVALID` with what is wrong where.
 */
export async function readSyncList(file: string): Promise<readonly SyncRegistry[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw asBuilderError(error, 'read list', file)
    throw new BuilderError('NOT_FOUND', { operation: 'read list', object: file, reason: 'there is no such file' })
  })
  const registries = mapping(await parseYaml(text, file), file, 'the list')
  return Object.entries(registries).map(([registry, value]) => readRegistry(registry, value, file))
}

/** Everything is text here, for a tag 1.10 is no number. */
async function parseYaml(text: string, file: string): Promise<unknown> {
  const { parse } = (await import('yaml')).default
  try {
    return parse(text, { schema: 'failsafe', maxAliasCount: 100 })
  } catch (error) {
    const [reason = 'it cannot be read'] = (error as Error).message.split('\n')
    throw invalid(file, `it is not YAML: ${reason.replace(/:$/, '')}`, error)
  }
}

function readRegistry(registry: string, value: unknown, file: string): SyncRegistry {
  const fields = mapping(value, file, registry)
  const unknown = Object.keys(fields).find((key) => !known.includes(key))
  if (unknown !== undefined) throw strange(file, registry, unknown)
  const images = mapping(fields.images ?? {}, file, `${registry} images`)
  const patterns = mapping(fields['images-by-tag-regex'] ?? {}, file, `${registry} images-by-tag-regex`)
  return {
    registry,
    images: new Map(Object.entries(images).map(([name, tags]) => [name, tagsOf(tags, file, `${registry} ${name}`)])),
    patterns: new Map(
      Object.entries(patterns).map(([name, text]) => [name, pattern(text, file, `${registry} ${name}`)]),
    ),
    access: accessOf(fields, file, registry),
  }
}

const known = ['images', 'images-by-tag-regex', 'credentials', 'tls-verify', 'cert-dir']

function accessOf(fields: Fields, file: string, where: string): RegistryOptions {
  const { credentials, 'tls-verify': tlsVerify, 'cert-dir': certDir } = fields
  return {
    ...(isAbsent(credentials) ? {} : { creds: creds(mapping(credentials, file, `${where} credentials`), file, where) }),
    ...(isAbsent(tlsVerify) ? {} : { tlsVerify: truth(tlsVerify, file, `${where} tls-verify`) }),
    ...(isAbsent(certDir) ? {} : { certDir: word(certDir, file, `${where} cert-dir`) }),
  }
}

function creds({ username, password }: Fields, file: string, where: string): string {
  return `${word(username, file, `${where} credentials username`)}:${word(password, file, `${where} credentials password`)}`
}

function tagsOf(value: unknown, file: string, where: string): readonly string[] {
  if (isAbsent(value)) return []
  if (!Array.isArray(value)) throw invalid(file, `${where} is not a list of tags; write [] for every tag`)
  return value.map((tag) => word(tag, file, where))
}

function pattern(value: unknown, file: string, where: string): RegExp {
  const text = word(value, file, where)
  try {
    return new RegExp(text)
  } catch (cause) {
    throw invalid(file, `${where}: ${JSON.stringify(text)} is not a regular expression`, cause)
  }
}

function truth(value: unknown, file: string, where: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true'
  throw invalid(file, `${where} is neither true nor false`)
}

function word(value: unknown, file: string, where: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw invalid(file, `${where} is not a word`)
}

type Fields = Readonly<Record<string, unknown>>

function mapping(value: unknown, file: string, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw invalid(file, `${where} is not a mapping of names to values`)
}

/** YAML's empty value is empty text in this schema. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

function strange(file: string, registry: string, key: string): BuilderError {
  const near = nearestWord(key, known)
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`
  const reason = `${registry}: nobody knows the key ${JSON.stringify(key)}`
  return new BuilderError('INVALID', { operation: 'read list', object: file, reason, hint })
}

function invalid(object: string, reason: string, cause?: unknown): BuilderError {
  return new BuilderError('INVALID', { operation: 'read list', object, reason, cause })
}

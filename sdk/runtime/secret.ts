import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { mountFields } from './mount-fields.js'

/** Where a secret comes from. */
export type SecretSource =
  | { readonly id: string; readonly type: 'file'; readonly path: string }
  | { readonly id: string; readonly type: 'env'; readonly name: string }

/**
 * Reads a `--secret`: `id=NAME[,src=FILE|,env=VARIABLE][,type=file|env]`. With an id alone it is the variable of that name when
 * there is one, else the file. Throws `USAGE`. Source: buildah-build(1), docker buildx build, `--secret`.
 *
 * @param env - The variables of who gives the secret.
 */
export function parseSecret(
  text: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): SecretSource {
  const fields = mountFields(text)
  const unknown = [...fields.keys()].find((key) => !keys.includes(key))
  if (unknown !== undefined) throw wrongSecret(text, `there is no option ${JSON.stringify(unknown)}`)
  const id = fields.get('id')
  if (!id) throw wrongSecret(text, 'id is missing')
  if (/[\0/]/.test(id)) throw wrongSecret(text, `the id ${JSON.stringify(id)} holds a slash`)
  const [path, name] = [fields.get('src') ?? fields.get('source'), fields.get('env')]
  if (path !== undefined && name !== undefined) throw wrongSecret(text, 'src and env are both given')
  const type =
    fields.get('type') ?? (name !== undefined || (path === undefined && env[id] !== undefined) ? 'env' : 'file')
  // buildah takes the variable's name as src too.
  if (type === 'env') return { id, type, name: name || path || id }
  if (type === 'file' && name === undefined) return { id, type, path: path || id }
  throw wrongSecret(
    text,
    type === 'file' ? 'env is of no use with type=file' : `there is no type ${JSON.stringify(type)}`,
  )
}

/**
 * A secret's bytes, at most 500 KiB, as BuildKit has it. Throws `NOT_FOUND` for a file or variable that is not there, `INVALID` for
 * one that is too large; no message holds any of it.
 */
export function readSecret(
  source: SecretSource,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Buffer {
  const bytes = source.type === 'env' ? variable(source, env[source.name]) : fileContent(source)
  if (bytes.length <= largest) return bytes
  throw new BuilderError('INVALID', {
    operation: 'read secret',
    object: source.id,
    reason: `it has more than ${largest / 1024} KiB`,
    hint: 'bind the file with --mount type=bind instead',
  })
}

function variable({ id, name }: SecretSource & { type: 'env' }, value: string | undefined): Buffer {
  if (value !== undefined) return Buffer.from(value)
  throw new BuilderError('NOT_FOUND', {
    operation: 'read secret',
    object: id,
    reason: `the variable ${name} is not set`,
    hint: 'export it, or name a file with src=FILE',
  })
}

/** A FIFO, as of `<(command)`, is read to its end. */
function fileContent({ id, path }: SecretSource & { type: 'file' }): Buffer {
  try {
    const file = openSync(resolve(path), 'r')
    try {
      const { size } = fstatSync(file)
      return size > largest ? Buffer.alloc(largest + 1) : readFileSync(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const { code, reason } = asBuilderError(error)
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new BuilderError(isGone ? 'NOT_FOUND' : code, {
      operation: 'read secret',
      object: id,
      reason: isGone ? `there is no file ${path}` : `${path}: ${reason}`,
      hint: 'check src=FILE, or take it from a variable with env=NAME',
    })
  }
}

function wrongSecret(text: string, reason: string): BuilderError {
  const hint = 'write --secret id=NAME,src=FILE or --secret id=NAME,env=VARIABLE'
  return new BuilderError('USAGE', { operation: 'read secret', object: JSON.stringify(text), reason, hint })
}

const keys = ['id', 'src', 'source', 'env', 'type']
/** Bytes. Source: BuildKit, session/secrets, `MaxSecretSize`. */
const largest = 500 * 1024

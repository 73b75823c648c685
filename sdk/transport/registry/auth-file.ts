import { BuilderError } from '../../errors.js'
import { readIfThere } from './configuration-file.js'

/** A file with logins: auth.json, docker's config.json or .dockercfg (containers-auth.json(5), Format). */
export interface AuthFile {
  readonly path: string
  /** By registry, namespace or repository. */
  readonly auths: Readonly<Record<string, AuthEntry>>
  /** Names of credential helpers by registry. */
  readonly credHelpers: Readonly<Record<string, string>>
  /** The helper for all other registries: docker's own. */
  readonly credsStore?: string
  /** All that the file says, known or not. */
  readonly document: Readonly<Record<string, unknown>>
}

/** One login. `auth` is user, colon and password in base64. */
export interface AuthEntry {
  readonly auth?: unknown
  readonly identitytoken?: unknown
}

/**
 * Reads a file with logins; undefined when it is not there. Throws `INVALID`, naming file and line but nothing of what the file
 * holds, for one that is damaged, and `SYSTEM` when it cannot be read.
 */
export async function readAuthFile(path: string, isLegacy = false): Promise<AuthFile | undefined> {
  const text = await readIfThere(path, 'read logins')
  if (text === undefined) return undefined
  const document = text.trim() === '' ? {} : object(parseJson(path, text), path, 'it')
  if (isLegacy) return { path, auths: entries(document, path), credHelpers: {}, document }
  const { auths = {}, credHelpers = {}, credsStore } = document
  if (credsStore !== undefined && typeof credsStore !== 'string') throw wrong(path, 'credsStore is not a string')
  return {
    path,
    auths: entries(object(auths ?? {}, path, 'auths'), path),
    credHelpers: names(object(credHelpers ?? {}, path, 'credHelpers'), path),
    ...(credsStore ? { credsStore } : {}),
    document,
  }
}

/** An error of JSON.parse quotes the text, which holds secrets: only the place in it is told. */
function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const offset = offsetOf(String(error), text)
    const line = offset === undefined ? '' : `:${text.slice(0, offset).split('\n').length}`
    throw wrong(`${path}${line}`, 'it is not JSON')
  }
}

/** Node says the position, or quotes about ten characters on both sides of it. */
function offsetOf(message: string, text: string): number | undefined {
  const position = /at position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return Number(position)
  if (/Unexpected end/.test(message)) return text.trimEnd().length
  const [, token = '', quoted] =
    /Unexpected token '(.)'.*?"([\s\S]*)"(?:\.\.\.)? is not valid JSON$/u.exec(message) ?? []
  const start = quoted === undefined ? -1 : text.indexOf(quoted)
  if (quoted === undefined || start < 0) return undefined
  const inside = quoted.indexOf(token, Math.min(10, Math.max(0, quoted.length - 11)))
  return start + Math.max(0, inside)
}

function entries(table: Readonly<Record<string, unknown>>, path: string): Readonly<Record<string, AuthEntry>> {
  for (const [key, value] of Object.entries(table)) object(value, path, `the login of ${key}`)
  return table as Readonly<Record<string, AuthEntry>>
}

function names(table: Readonly<Record<string, unknown>>, path: string): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries(table))
    if (typeof value !== 'string') throw wrong(path, `the helper of ${key} in credHelpers is not a string`)
  return table as Readonly<Record<string, string>>
}

function object(value: unknown, path: string, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw wrong(path, `${what} is not a JSON object`)
}

function wrong(path: string, reason: string): BuilderError {
  return new BuilderError('INVALID', {
    operation: 'read logins',
    object: path,
    reason,
    hint: 'mend it, or take it away and log in again (builder login)',
  })
}

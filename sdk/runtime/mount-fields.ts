import { wrong } from './volume.js'

/** The `key=value` pairs of a mount; a key alone has the value ''. */
export type MountFields = ReadonlyMap<string, string>

/**
 * Splits `KEY=VALUE,KEY,…` as the field does: a part that begins with a quotation mark may hold commas, and two of the
 * marks are one (RFC 4180). Throws `USAGE` for a key that is given twice and for a mark without its other.
 */
export function mountFields(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const part of partsOf(text)) {
    const equals = part.indexOf('=')
    const key = equals < 0 ? part : part.slice(0, equals)
    if (fields.has(key)) throw wrong(text, `${key} is given twice`)
    fields.set(key, equals < 0 ? '' : part.slice(equals + 1))
  }
  return fields
}

/** A switch: `key`, `key=true`, `key=false`. Throws `USAGE`. */
export function truth(key: string, value: string, text: string): boolean {
  if (!['', 'true', 'false', '1', '0'].includes(value)) throw wrong(text, `${key}=${value} is neither true nor false`)
  return value !== 'false' && value !== '0'
}

/** Bytes, or with a suffix b, k, m, g, t: powers of 1024. Undefined for anything else. */
export function parseBytes(word: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,15})([bkmgt]?)i?b?$/i.exec(word) ?? []
  if (digits === undefined) return undefined
  const bytes = Number(digits) * 1024 ** Math.max(0, 'bkmgt'.indexOf(unit.toLowerCase() || 'b'))
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Permission bits. Throws `USAGE`. */
export function octal(word: string, text: string): number {
  if (/^[0-7]{1,5}$/.test(word)) return Number.parseInt(word, 8) & 0o7777
  throw wrong(text, `mode=${word} is not an octal number`, 'write for example mode=0755')
}

/** A user's or group's number. Throws `USAGE`. */
export function whole(key: string, word: string, text: string): number {
  if (/^\d{1,10}$/.test(word) && Number(word) < 0xffffffff) return Number(word)
  throw wrong(text, `${key}=${word} is not a number`)
}

function partsOf(text: string): string[] {
  const parts = text.match(/(?:^|,)(?:"(?:[^"]|"")*"(?=,|$)|[^,]*)/g) ?? []
  return parts.map((part, i) => {
    const bare = i === 0 ? part : part.slice(1)
    if (!bare.startsWith('"')) return bare
    if (bare.length < 2 || !bare.endsWith('"')) throw wrong(text, 'a quotation mark has no other', 'write "src=a,b"')
    return bare.slice(1, -1).replaceAll('""', '"')
  })
}

import { BuilderError } from '../errors.js'

/** Gives the permission bits of a file from those it has. */
export type ModeChange = (mode: number, isDirectory: boolean) => number

/**
 * Reads an octal mode (`755`) or symbolic changes (`u=rw,go+r,a+X`). Source: POSIX chmod(1), "mode" operand.
 * Throws `USAGE`.
 */
export function parseMode(text: string): ModeChange {
  if (/^[0-7]{1,5}$/.test(text)) return () => Number.parseInt(text, 8) & 0o7777
  const clauses = text.split(',').map((clause) => parseClause(clause) ?? refuse(text))
  return (mode, isDirectory) => clauses.reduce((now, change) => change(now, isDirectory), mode & 0o7777)
}

function parseClause(clause: string): ModeChange | undefined {
  const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause)
  if (!match) return undefined
  const who = match[1] === '' || match[1]?.includes('a') ? 'ugo' : (match[1] as string)
  const actions = [...(match[2] as string).matchAll(/([-+=])([rwxXst]*|[ugo])/g)]
  return (mode, isDirectory) =>
    actions.reduce((now, [, sign, what]) => act(now, who, sign as string, what as string, isDirectory), mode)
}

function act(mode: number, who: string, sign: string, what: string, isDirectory: boolean): number {
  const bits = [...who].reduce((all, one) => all | bitsFor(one, what, mode, isDirectory), 0)
  if (sign === '+') return mode | bits
  if (sign === '-') return mode & ~bits
  const cleared = [...who].reduce((all, one) => all | (7 << (shifts[one] as number)) | (special[one] as number), 0)
  return (mode & ~cleared) | bits
}

function bitsFor(who: string, what: string, mode: number, isDirectory: boolean): number {
  const shift = shifts[who] as number
  if (/^[ugo]$/.test(what)) return ((mode >> (shifts[what] as number)) & 7) << shift
  let bits = 0
  for (const letter of what) {
    if (letter === 's') bits |= (special[who] as number) & 0o6000
    else if (letter === 't') bits |= 0o1000
    else if (letter === 'X') bits |= isDirectory || mode & 0o111 ? 1 << shift : 0
    else bits |= ({ r: 4, w: 2, x: 1 }[letter] ?? 0) << shift
  }
  return bits
}

const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 }
const special: Readonly<Record<string, number>> = { u: 0o4000, g: 0o2000, o: 0o1000 }

function refuse(text: string): never {
  throw new BuilderError('USAGE', {
    operation: 'read mode',
    object: JSON.stringify(text),
    reason: 'it is neither octal nor symbolic',
    hint: 'write for example 755 or u=rwX,go=rX',
  })
}

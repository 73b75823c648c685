import { formatGo, isTruthy, textOf } from './go-format.js'

/** A function cannot work with what it was given; the caller knows the position. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError'
}

/** Calls a function of templates. Throws {@link FunctionError} for arguments it cannot work with. */
export function callFunction(name: string, args: readonly unknown[]): unknown {
  const found = functions[name]
  if (!found) throw new FunctionError(`there is no function ${name}`)
  return found(...args)
}

/**
 * Go's own functions (text/template, "Functions") and those that docker and podman add (json, join, split, lower, upper,
 * title, truncate, pad).
 */
const functions: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
  and: (...args) => args.find((one) => !isTruthy(one)) ?? (args.every(isTruthy) ? args.at(-1) : undefined),
  or: (...args) => args.find(isTruthy) ?? args.at(-1),
  not: (value) => !isTruthy(value),
  eq: (first, ...others) => others.some((one) => isEqual(first, one)),
  ne: (a, b) => !isEqual(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  len: (value) => lengthOf(value),
  index: (value, ...keys) => keys.reduce(indexOf, value),
  slice: (value, from = 0, to?) => sliceOf(value, Number(from), to === undefined ? undefined : Number(to)),
  print: (...args) => args.map(textOf).join(' '),
  println: (...args) => `${args.map(textOf).join(' ')}\n`,
  printf: (format, ...args) => formatGo(textOf(format), args),
  json: (value) => JSON.stringify(value ?? null),
  join: (a, b) => listOf(Array.isArray(b) ? b : a).join(textOf(Array.isArray(b) ? a : (b ?? ''))),
  split: (text, by) => textOf(text).split(textOf(by)),
  lower: (text) => textOf(text).toLowerCase(),
  upper: (text) => textOf(text).toUpperCase(),
  title: (text) => textOf(text).replace(/(?<![\p{L}\d])\p{L}/gu, (letter) => letter.toUpperCase()),
  truncate: (text, length) => textOf(text).slice(0, Number(length)),
  pad: (text, before, after) => `${' '.repeat(Number(before))}${textOf(text)}${' '.repeat(Number(after))}`,
  html: (text) => textOf(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`),
  urlquery: (text) => encodeURIComponent(textOf(text)).replaceAll('%20', '+'),
}

/** Names of the functions, in alphabetical order. */
export const functionNames: readonly string[] = Object.keys(functions).sort()

function isEqual(a: unknown, b: unknown): boolean {
  return a === b || (isNothing(a) && isNothing(b)) || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b))
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw new FunctionError(`${textOf(a)} and ${textOf(b)} cannot be compared; both must be numbers or both text`)
}

function lengthOf(value: unknown): number {
  if (isNothing(value)) return 0
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (typeof value !== 'object') throw new FunctionError(`len needs text, a list or a map, not ${textOf(value)}`)
  return Array.isArray(value) ? value.length : Object.keys(value as object).length
}

/** As in Go, a key that a map of text does not have gives empty text, and one that another map does not have nothing. */
function indexOf(value: unknown, key: unknown): unknown {
  if (isNothing(value)) return ''
  if (Array.isArray(value)) {
    if (typeof key === 'number' && Number.isInteger(key) && key >= 0 && key < value.length) return value[key]
    throw new FunctionError(`index ${textOf(key)} is not within a list of ${value.length}`)
  }
  if (typeof value !== 'object') throw new FunctionError(`index needs a list or a map, not ${textOf(value)}`)
  const map = value as Record<string, unknown>
  if (Object.hasOwn(map, textOf(key))) return map[textOf(key)]
  return Object.values(map).every((one) => typeof one === 'string') ? '' : undefined
}

function sliceOf(value: unknown, from: number, to: number | undefined): unknown {
  if (typeof value !== 'string' && !Array.isArray(value))
    throw new FunctionError(`slice needs text or a list, not ${textOf(value)}`)
  if (from >= 0 && from <= (to ?? value.length) && (to ?? 0) <= value.length) return value.slice(from, to)
  throw new FunctionError(`slice ${from} to ${to ?? value.length} is not within a length of ${value.length}`)
}

function listOf(value: unknown): unknown[] {
  if (isNothing(value)) return []
  if (Array.isArray(value)) return value.map(textOf)
  throw new FunctionError(`join needs a list, not ${textOf(value)}`)
}

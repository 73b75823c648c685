/** A value as Go's `%v` prints it: lists are `[a b]`, maps `map[a:b]` with sorted keys; nothing is `<no value>`. */
export function textOf(value: unknown): string {
  return value === undefined || value === null ? '<no value>' : inner(value)
}

/** What `if` and `not` go by: empty text, lists and maps, 0, false and nothing are false. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}

/**
 * Go's `printf` for the verbs that a template needs: %s %v %d %q %t %x %f %e %g %c %%, with `-`, `0` and `+` flags, width
 * and precision. A missing argument is shown as Go shows it.
 */
export function formatGo(format: string, args: readonly unknown[]): string {
  let next = 0
  const text = format.replace(
    verbPattern,
    (all, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      if (next >= args.length) return `%!${verb}(MISSING)`
      const made = formatOne(verb, args[next++], precision === undefined ? undefined : Number(precision), flags)
      return made === undefined ? all : pad(made, Number(width), flags)
    },
  )
  const extra = args.slice(next).map((value) => `${typeof value}=${inner(value)}`)
  return extra.length > 0 ? `${text}%!(EXTRA ${extra.join(', ')})` : text
}

const verbPattern = /%([-+0# ]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g

function formatOne(verb: string, value: unknown, precision: number | undefined, flags: string): string | undefined {
  const sign = flags.includes('+') && Number(value) >= 0 ? '+' : ''
  switch (verb) {
    case 's':
    case 'v':
    case 't':
      return inner(value).slice(0, precision)
    case 'd':
      return sign + inner(value)
    case 'q':
      return JSON.stringify(inner(value))
    case 'x':
      return typeof value === 'number' ? value.toString(16) : Buffer.from(inner(value)).toString('hex')
    case 'f':
      return sign + Number(value).toFixed(precision ?? 6)
    case 'e':
      return sign + Number(value).toExponential(precision ?? 6)
    case 'g':
      return sign + (precision === undefined ? String(value) : String(Number(Number(value).toPrecision(precision))))
    case 'c':
      return String.fromCodePoint(Number(value))
    default:
      return undefined
  }
}

function pad(text: string, width: number, flags: string): string {
  if (flags.includes('-')) return text.padEnd(width)
  return flags.includes('0') ? text.padStart(width, '0') : text.padStart(width)
}

function inner(value: unknown): string {
  if (value === undefined || value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(inner).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([key, one]) => `${key}:${inner(one)}`).join(' ')}]`
}

import { BuilderError } from '../errors.js'
import { isDigest } from '../image/digest.js'
import { nearestWord } from '../image/near-word.js'
import { type Ask, askKinds, covers, splitAsk } from './ask.js'
import { type Located, readLocatedJson } from './located-json.js'

/** What may happen to a command: it runs, somebody is asked first, it never runs. */
export type Verdict = 'allow' | 'ask' | 'deny'

/** A rule of `runlabel.json`: when all that it names is so, its verdict counts. */
export interface PolicyRule {
  readonly verdict: Verdict
  /** Full names without tag; a `*` at the end stands for anything. */
  readonly images?: readonly string[]
  readonly digests?: readonly string[]
  /** Names of labels, without regard to case. */
  readonly labels?: readonly string[]
  /**
   * Words of {@link covers}. With `allow` and `ask` all that the command asks for must be among them; with `deny` one thing is enough.
   */
  readonly asks?: readonly string[]
  /** Nothing is signed for builder yet: such a rule never applies. */
  readonly signedBy?: readonly string[]
  /** Where it stands. */
  readonly line: number
}

/** A policy as it was read. */
export interface Policy {
  readonly file: string
  /** For what no rule applies to. */
  readonly fallback: Verdict
  readonly rules: readonly PolicyRule[]
  /** Where decisions are written: `journal`, or a file. */
  readonly log?: string
}

/** What a policy looks at. */
export interface PolicyFacts {
  /** All full names of the image. */
  readonly names: readonly string[]
  readonly digest: string
  readonly label: string
  readonly asks: readonly Ask[]
}

/**
 * The first rule that applies decides. Without a policy somebody is asked: nothing runs unasked.
 *
 * @example
 * ```ts
 * import { decide } from './policy.js'
 * decide(undefined, { names: ['localhost/web:latest'], digest: 'sha256:…', label: 'run', asks: [] }) // { verdict: 'ask', … }
 * ```
 */
export function decide(policy: Policy | undefined, facts: PolicyFacts): { verdict: Verdict; reason: string } {
  if (!policy) return { verdict: 'ask', reason: 'there is no policy' }
  const rule = policy.rules.find((one) => applies(one, facts))
  const place = rule ? `${policy.file}:${rule.line}` : `the default of ${policy.file}`
  return { verdict: rule?.verdict ?? policy.fallback, reason: place }
}

function applies({ verdict, images, digests, labels, asks, signedBy }: PolicyRule, facts: PolicyFacts): boolean {
  if (signedBy) return false
  if (images && !images.some((pattern) => facts.names.some((name) => fits(pattern, name)))) return false
  if (digests && !digests.includes(facts.digest)) return false
  if (labels && !labels.some((label) => label.toLowerCase() === facts.label.toLowerCase())) return false
  if (!asks) return true
  const isNamed = (ask: Ask) => asks.some((word) => covers(word, ask))
  return verdict === 'deny' ? facts.asks.some(isNamed) : facts.asks.every(isNamed)
}

function fits(pattern: string, name: string): boolean {
  const repository = name.replace(/@.*$/, '').replace(/:[^:/]*$/, '')
  return pattern.endsWith('*') ? repository.startsWith(pattern.slice(0, -1)) : [repository, name].includes(pattern)
}

/** Reads a policy's text. Throws `INVALID` with file and line for anything that is not known: what is misspelt would protect nobody. */
export function parsePolicy(text: string, file: string): Policy {
  const top = readLocatedJson(text, file)
  const fields = object(top, file, ['version', 'default', 'rules', 'log'])
  const version = fields.get('version')
  if (version?.value !== 1) throw wrong(file, version ?? top, 'its version is not 1', 'write "version": 1')
  const [fallback, log] = [fields.get('default'), fields.get('log')]
  if (log && (typeof log.value !== 'string' || !/^(journal|\/.+)$/s.test(log.value)))
    throw wrong(file, log, 'log is no place to write to', 'write "journal" or the absolute path of a file')
  return {
    file,
    fallback: fallback ? verdictOf(fallback, file) : 'ask',
    rules: list(fields.get('rules'), file).map((one) => parseRule(one, file)),
    ...(log ? { log: log.value as string } : {}),
  }
}

const ruleKeys = ['verdict', 'images', 'digests', 'labels', 'asks', 'signedBy'] as const

function parseRule(rule: Located, file: string): PolicyRule {
  const fields = object(rule, file, ruleKeys)
  const verdict = fields.get('verdict')
  if (!verdict) throw wrong(file, rule, 'the rule has no verdict', 'write "verdict": "allow", "ask" or "deny"')
  const texts = (name: (typeof ruleKeys)[number], check: (text: string) => string | undefined) => {
    const value = fields.get(name)
    return value ? { [name]: list(value, file).map((one) => checked(one, file, name, check)) } : {}
  }
  if (verdict.value === 'allow' && !fields.has('asks')) {
    const hint = 'write "asks": […] with all that may be asked for; [] for nothing, ["*"] for anything'
    throw wrong(file, rule, 'a rule that allows does not say what', hint)
  }
  return {
    verdict: verdictOf(verdict, file),
    line: rule.line,
    ...texts('images', checkImage),
    ...texts('digests', (text) => (isDigest(text) ? undefined : 'it is not sha256: and 64 hexadecimal digits')),
    ...texts('labels', () => undefined),
    ...texts('asks', checkAsk),
    ...texts('signedBy', () => undefined),
  }
}

function checkImage(text: string): string | undefined {
  if (text === '*' || /^[\w.:-]+\/[\w./:-]*\*?$/.test(text)) return undefined
  return 'it is not a full name, as registry.example.com/tools/web, or the beginning of one and a *'
}

function checkAsk(text: string): string | undefined {
  if (text === '*') return undefined
  const [kind] = splitAsk(text)
  if ((askKinds as readonly string[]).includes(kind)) return undefined
  const near = nearestWord(kind, askKinds)
  return near === undefined ? `it is none of ${askKinds.join(', ')}` : `did you mean ${near}?`
}

function checked(one: Located, file: string, name: string, check: (text: string) => string | undefined): string {
  if (typeof one.value !== 'string' || one.value === '') throw wrong(file, one, `${name} has an entry that is no text`)
  const fault = check(one.value)
  if (fault !== undefined) throw wrong(file, one, `${JSON.stringify(one.value)} in ${name}: ${fault}`)
  return one.value
}

function verdictOf(one: Located, file: string): Verdict {
  const { value } = one
  if (value === 'allow' || value === 'ask' || value === 'deny') return value
  throw wrong(file, one, 'a verdict is "allow", "ask" or "deny"')
}

function list(one: Located | undefined, file: string): readonly Located[] {
  if (one === undefined) return []
  if (Array.isArray(one.value)) return one.value
  throw wrong(file, one, 'a list is expected', 'write […]')
}

function object(one: Located, file: string, known: readonly string[]): ReadonlyMap<string, Located> {
  if (!(one.value instanceof Map)) throw wrong(file, one, 'an object is expected', 'write {…}')
  const fields = one.value as ReadonlyMap<string, Located>
  for (const [name, value] of fields) {
    if (known.includes(name)) continue
    const near = nearestWord(name, known)
    const hint = near === undefined ? `write one of ${known.join(', ')}` : `did you mean ${near}?`
    throw wrong(file, value, `there is no ${JSON.stringify(name)}`, hint)
  }
  return fields
}

function wrong(file: string, { line }: Located, reason: string, hint = 'correct it'): BuilderError {
  return new BuilderError('INVALID', { operation: 'read policy', object: `${file}:${line}`, reason, hint })
}

import { nearestWord } from '../image/near-word.js'
import { errorAt } from './point-at.js'
import type { Containerfile, Position } from './syntax.js'

/** What `# check=` asks for: rules to leave out, rules to add, and whether a finding is an error. */
export interface CheckOptions {
  readonly skip: ReadonlySet<string> | 'all'
  readonly experimental: ReadonlySet<string> | 'all'
  readonly error: boolean
}

/**
 * Reads the `check` directive of a file: `skip=RULE,RULE;error=true;experimental=all`. Throws `INVALID` for what is not of that form.
 * Source: Dockerfile reference, "check".
 */
export function checkOptions({ directives, stages }: Containerfile): CheckOptions {
  if (directives.check === undefined) return nothingAsked
  const first = stages[0]?.from.position
  return parseCheck(directives.check, first && { file: first.file, line: 1, text: `# check=${directives.check}` })
}

/** The rules that a comment right in front of an instruction leaves out for it: `# check=skip=RULE`. Others are only comments. */
export function skippedBy(comments: readonly string[] | undefined, position: Position): CheckOptions['skip'] {
  const asked = comments?.flatMap((comment) => /^check\s*=\s*(\S+)/i.exec(comment)?.[1] ?? []).at(0)
  try {
    return parseCheck(asked ?? '', position).skip
  } catch {
    return nothingAsked.skip
  }
}

const nothingAsked: CheckOptions = { skip: new Set(), experimental: new Set(), error: false }

function parseCheck(text: string, position: Position | undefined): CheckOptions {
  let options = nothingAsked
  for (const part of text.split(';').filter((one) => one.trim() !== '')) {
    const [, key = '', value = ''] = /^\s*([a-z]*)\s*=\s*(.*?)\s*$/.exec(part) ?? []
    const wrong = (reason: string, hint: string) =>
      errorAt(position ?? { file: 'check', line: 1, text }, { reason, hint })
    if (!['skip', 'error', 'experimental'].includes(key)) {
      const near = nearestWord(key, ['skip', 'error', 'experimental'])
      const hint = near
        ? `did you mean ${near}?`
        : 'write skip=RULE, error=true or experimental=RULE, with ; between them'
      throw wrong(`${part.trim()} is not an option of check`, hint)
    }
    if (key === 'error' && !/^(?:[01tf]|true|false)$/i.test(value))
      throw wrong(`error is ${value}`, 'write true or false')
    if (key === 'error') options = { ...options, error: /^(?:1|t|true)$/i.test(value) }
    else options = { ...options, [key]: value === 'all' ? 'all' : new Set(value.split(',').map((rule) => rule.trim())) }
  }
  return options
}

import { nearestWord } from '../image/near-word.js'
import { parsePlatform } from '../image/platform.js'
import { parseReference } from '../image/reference.js'
import { type ExpandOptions, expandWord } from './expand.js'
import type { Finding } from './finding.js'
import { automaticValues, type Globals, globalsOf } from './lint-globals.js'
import type { Containerfile, FromInstruction } from './syntax.js'

/** Rules about FROM. */
export function lintFrom(file: Containerfile): readonly Finding[] {
  const globals = globalsOf(file)
  return file.stages.flatMap(({ from }) => judge(from, globals, file.directives.escape))
}

function judge(at: FromInstruction, globals: Globals, escapeChar: '\\' | '`'): readonly Finding[] {
  const options = { escape: escapeChar, position: at.position }
  const image = followed(at.image, globals, options)
  const platform = at.platform === undefined ? undefined : followed(at.platform, globals, options)
  return [...new Set([...image.used, ...(platform?.used ?? [])].filter((name) => !globals.has(name)))]
    .map((name): Finding => ({ rule: 'UndefinedArgInFrom', message: undeclared(name, globals), at }))
    .concat(isReference(image.text) ? [] : [invalidDefault(at)])
    .concat(platform ? platformFindings(at, platform) : [])
}

function platformFindings(at: FromInstruction, { text, used }: Followed): readonly Finding[] {
  if (used.length === 1 && used[0] === 'TARGETPLATFORM' && text === automaticValues.TARGETPLATFORM) {
    const message = `Setting platform to predefined ${at.platform} in FROM is redundant as this is the default behavior`
    return [{ rule: 'RedundantTargetPlatform', message, at }]
  }
  const name = at.as?.toLowerCase() ?? ''
  if (used.length > 0 || platformWords(text).some((word) => name.includes(word))) return []
  const message = `FROM --platform flag should not use constant value "${text}"`
  return [{ rule: 'FromPlatformFlagConstDisallowed', message, at }]
}

/** A stage that says its platform in its name wants just that one. */
function platformWords(text: string): readonly string[] {
  try {
    const { os, architecture } = parsePlatform(text)
    return [os, architecture]
  } catch {
    return ['']
  }
}

interface Followed {
  readonly text: string
  readonly used: readonly string[]
}

function followed(text: string, globals: Globals, options: ExpandOptions): Followed {
  const used = new Set<string>()
  const lookup = (name: string) => {
    used.add(name)
    return globals.get(name)
  }
  return { text: expandWord(text, lookup, options), used: [...used] }
}

function undeclared(name: string, globals: Globals): string {
  const near = nearestWord(name, globals.keys())
  return `FROM argument '${name}' is not declared${near === undefined ? '' : ` (did you mean ${near}?)`}`
}

function invalidDefault(at: FromInstruction): Finding {
  const message = `Default value for ARG ${at.image} results in empty or invalid base image name`
  return { rule: 'InvalidDefaultArgInFrom', message, at }
}

function isReference(text: string): boolean {
  try {
    return parseReference(text).repository !== ''
  } catch {
    return false
  }
}

import { nearestWord } from '../image/near-word.js'
import { parsePlatform } from '../image/platform.js'
import { parseReference } from '../image/reference.js'
import type { ExpandOptions } from './expand.js'
import type { Finding, LintOptions } from './finding.js'
import { type LintExpand, lintExpand } from './lint-expand.js'
import { automaticValues, type Globals, globalsOf } from './lint-globals.js'
import type { Containerfile, FromInstruction } from './syntax.js'

/** Rules about FROM. */
export function lintFrom(file: Containerfile, options: LintOptions): readonly Finding[] {
  const expand = lintExpand(options)
  const globals = globalsOf(file, options.given ?? new Map(), expand)
  return [...file.stages.flatMap(({ from }) => judge(from, globals, file, expand)), ...invalidDefaults(file)]
}

function judge(at: FromInstruction, globals: Globals, { directives }: Containerfile, expand: LintExpand) {
  const options = { escape: directives.escape, position: at.position }
  const image = followed(at.image, globals, expand, options)
  const platform = at.platform === undefined ? undefined : followed(at.platform, globals, expand, options)
  const used = new Set([...image.used, ...(platform?.used ?? [])])
  return [...used]
    .filter((name) => !globals.has(name))
    .map((name): Finding => ({ rule: 'UndefinedArgInFrom', message: undeclared(name, globals), at }))
    .concat(platform ? platformFindings(at, platform) : [])
}

/** Whatever is given from outside: the defaults alone should do. One that asks for an argument with `?` says so itself. */
function invalidDefaults(file: Containerfile): readonly Finding[] {
  const expand = lintExpand({})
  const globals = globalsOf(file, new Map(), expand)
  return file.stages.flatMap(({ from: at }): Finding[] => {
    const name = expand.word(at.image, (one) => globals.get(one), { escape: file.directives.escape })
    if (name === undefined || isReference(name)) return []
    const message = `Default value for ARG ${at.image} results in empty or invalid base image name`
    return [{ rule: 'InvalidDefaultArgInFrom', message, at }]
  })
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

function followed(text: string, globals: Globals, expand: LintExpand, options: ExpandOptions): Followed {
  const used = new Set<string>()
  const lookup = (name: string) => {
    used.add(name)
    return globals.get(name)
  }
  return { text: expand.word(text, lookup, options) ?? '', used: [...used] }
}

function undeclared(name: string, globals: Globals): string {
  const near = nearestWord(name, globals.keys())
  return `FROM argument '${name}' is not declared${near === undefined ? '' : ` (did you mean ${near}?)`}`
}

function isReference(text: string): boolean {
  try {
    return parseReference(text).repository !== ''
  } catch {
    return false
  }
}

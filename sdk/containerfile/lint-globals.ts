import type { LintOptions } from './finding.js'
import { type LintExpand, lintExpand } from './lint-expand.js'
import type { Containerfile } from './syntax.js'

/** Values by name; undefined for what is declared without one. */
export type Globals = ReadonlyMap<string, string | undefined>

/** The platform arguments and the ARGs in front of the first FROM. */
export function globalsOf(
  { args, directives }: Containerfile,
  given: ReadonlyMap<string, string>,
  expand: LintExpand,
): Globals {
  const values = new Map<string, string | undefined>(automatic.map((name) => [name, automaticValues[name] ?? '']))
  const lookup = (name: string) => values.get(name)
  for (const { args: declared, position } of args)
    for (const { name, value } of declared) {
      const options = { escape: directives.escape, position }
      if (given.has(name)) values.set(name, given.get(name))
      else if (value !== undefined) values.set(name, expand.word(value, lookup, options))
      else if (!values.has(name)) values.set(name, undefined)
    }
  return values
}

/** The images that stages begin with, as far as arguments tell. */
export function baseImages(file: Containerfile, options: LintOptions): readonly string[] {
  const expand = lintExpand({})
  const globals = globalsOf(file, options.given ?? new Map(), expand)
  const names = file.stages.flatMap(({ from }) =>
    baseOfName(file, from.image) ? [] : (expand.word(from.image, (name) => globals.get(name), {}) ?? []),
  )
  return [...new Set(names)].filter((name) => name !== '' && name !== 'scratch')
}

function baseOfName({ stages }: Containerfile, image: string): boolean {
  return stages.some(({ name }) => name === image.toLowerCase())
}

const automatic = ['TARGET', 'BUILD']
  .flatMap((side) => ['PLATFORM', 'OS', 'OSVERSION', 'ARCH', 'VARIANT'].map((part) => `${side}${part}`))
  .concat('TARGETSTAGE')

/** Which machine this is does not matter for the rules. */
export const automaticValues: Readonly<Record<string, string>> = {
  TARGETPLATFORM: 'linux/amd64',
  BUILDPLATFORM: 'linux/amd64',
  TARGETOS: 'linux',
  BUILDOS: 'linux',
  TARGETARCH: 'amd64',
  BUILDARCH: 'amd64',
  TARGETSTAGE: 'default',
}

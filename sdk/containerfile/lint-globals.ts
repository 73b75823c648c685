import { expandWord } from './expand.js'
import type { Containerfile } from './syntax.js'

/** Values by name; undefined for what is declared without one. */
export type Globals = ReadonlyMap<string, string | undefined>

/** The platform arguments and the ARGs in front of the first FROM, as if nothing was given from outside. */
export function globalsOf({ args, directives }: Containerfile): Globals {
  const values = new Map<string, string | undefined>(automatic.map((name) => [name, automaticValues[name] ?? '']))
  for (const instruction of args)
    for (const { name, value } of instruction.args) {
      const options = { escape: directives.escape, position: instruction.position }
      if (value !== undefined)
        values.set(
          name,
          expandWord(value, (one) => values.get(one), options),
        )
      else if (!values.has(name)) values.set(name, undefined)
    }
  return values
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

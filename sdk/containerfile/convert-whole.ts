import type { Comments } from './convert-comments.js'
import { cannot } from './convert-config.js'
import { givenName, Names } from './convert-names.js'
import type { Statement } from './convert-recipe.js'
import type { Binding } from './convert-scope.js'
import { readValue, text, type Value } from './convert-value.js'
import type { ArgInstruction, Containerfile } from './syntax.js'

/** What a stage came to in the recipe. */
export interface StageEnd {
  /** The variable that names its container. */
  readonly container: string
  readonly env: ReadonlyMap<string, Binding>
  readonly hasBase: boolean
  /** What its ONBUILD lines have the next stage do. */
  readonly triggers: readonly string[]
  readonly shell: readonly string[] | undefined
}

/** A file that is being converted. */
export class Conversion {
  readonly statements: Statement[] = []
  readonly names: Names
  /** ARGs in front of the first FROM. */
  readonly globals = new Map<string, Binding & { readonly kind: 'variable' }>()
  /** The platform ARGs, whose values are this machine's. */
  readonly automatic = new Map<string, string>()
  /** What the stages came to, by their numbers. */
  readonly ends = new Map<number, StageEnd>()

  constructor(
    readonly file: Containerfile,
    readonly comments: Comments,
  ) {
    this.names = new Names(file)
  }

  readonly add = (statement: Statement): void => void this.statements.push(statement)

  globalArgument({ args, position }: ArgInstruction): void {
    for (const comment of this.comments(position)) this.add({ kind: 'comment', text: comment })
    for (const { name, value } of args) {
      const variable = this.names.argument(name, 'global')
      const written = value === undefined ? this.automatic.get(name) : value
      const read = written === undefined ? undefined : this.globalValue(written, position)
      this.add({ kind: 'argument', variable, given: givenName(name), ...(read ? { value: read } : {}) })
      this.globals.set(name, { kind: 'variable', variable, isSet: read !== undefined })
    }
  }

  /** A text in front of the stages, or in a FROM: only global ARGs count there. */
  globalValue(written: string, position: ArgInstruction['position']): Value {
    const escaping = this.file.directives.escape
    return readValue(
      written,
      (name, form) => {
        const known = this.globals.get(name)
        if (known) return [{ kind: 'variable', name: known.variable, ...(form ? { form } : {}) }]
        const automatic = this.automatic.get(name)
        if (automatic !== undefined && !form) return text(automatic)
        if (form) throw cannot(position, `\${${name}…} of a variable that is not declared`)
        return []
      },
      { escape: escaping, quotes: true, position },
    )
  }
}

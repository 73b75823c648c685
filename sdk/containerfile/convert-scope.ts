import type { Names } from './convert-names.js'
import type { Given, Statement } from './convert-recipe.js'
import { type Form, plainText, readValue, text, type Value } from './convert-value.js'
import { shellPattern } from './shell-pattern.js'
import type { Position } from './syntax.js'

/** What a name of the file is in the recipe. */
export type Binding =
  | { readonly kind: 'variable'; readonly variable: string; readonly isSet: boolean }
  | { readonly kind: 'value'; readonly value: Value }
  /** Only the container knows it. */
  | { readonly kind: 'own' }

/** The variables that hold in a stage, while its lines are converted one after the other. */
export class StageScope {
  /** ENV: what this stage, and the stages of the file below it, have set. */
  readonly env: Map<string, Binding>
  readonly args = new Map<string, Binding & { readonly kind: 'variable' }>()
  readonly #owned = new Map<string, string>()

  constructor(
    readonly container: string,
    readonly names: Names,
    readonly escaping: '\\' | '`',
    /** False where everything begins with nothing: what the file has not set is not set. */
    readonly hasBase: boolean,
    env: ReadonlyMap<string, Binding>,
    readonly add: (statement: Statement) => void,
  ) {
    this.env = new Map(env)
  }

  /** A text of the file as the recipe has it. */
  value(written: string, position: Position): Value {
    const resolve = (name: string, form: Form | undefined) => this.#resolve(name, form)
    return readValue(written, resolve, { escape: this.escaping, quotes: true, position })
  }

  /** The same for the body of a heredoc. */
  body(written: string, position: Position): Value {
    const resolve = (name: string, form: Form | undefined) => this.#resolve(name, form)
    return readValue(written, resolve, { escape: this.escaping, quotes: false, position })
  }

  /** The same for `config --env`, which knows the container's own variables itself. */
  envValue(written: string, position: Position): Value {
    const resolve = (name: string, form: Form | undefined): Value =>
      form === undefined && this.#bindingOf(name).kind === 'own' ? [{ kind: 'own', name }] : this.#resolve(name, form)
    return readValue(written, resolve, { escape: this.escaping, quotes: true, position })
  }

  /** Notes what an ENV has set. */
  setEnv(name: string, value: Value): void {
    this.#owned.delete(name)
    this.env.set(name, value.some(({ kind }) => kind === 'own') ? { kind: 'own' } : { kind: 'value', value })
  }

  /** The ARGs that a command sees. */
  given(): readonly Given[] {
    return [...this.args]
      .filter(([name]) => !this.env.has(name))
      .map(([name, { variable, isSet }]) => ({ name, variable, isSet }))
  }

  #bindingOf(name: string): Binding | { readonly kind: 'unset' } {
    return this.env.get(name) ?? this.args.get(name) ?? { kind: this.hasBase ? 'own' : 'unset' }
  }

  #resolve(name: string, form: Form | undefined): Value {
    const binding = this.#bindingOf(name)
    switch (binding.kind) {
      case 'unset':
        return shaped(undefined, form)
      case 'variable':
        return [{ kind: 'variable', name: binding.variable, ...(form ? { form } : {}) }]
      case 'own':
        return [{ kind: 'variable', name: this.#ownVariable(name), ...(form ? { form } : {}) }]
      case 'value': {
        const plain = plainText(binding.value)
        if (!form) return binding.value
        if (plain !== undefined) return shaped(plain, form)
        return [{ kind: 'variable', name: this.#valueVariable(name, binding.value), form }]
      }
    }
  }

  #ownVariable(name: string): string {
    const known = this.#owned.get(name)
    if (known !== undefined) return known
    const variable = this.names.unique(`${this.container}_${name}`)
    this.#owned.set(name, variable)
    this.add({ kind: 'own', variable, container: this.container, name })
    return variable
  }

  #valueVariable(name: string, value: Value): string {
    const variable = this.names.unique(`${this.container}_${name}`)
    this.add({ kind: 'set', variable, value })
    this.env.set(name, { kind: 'variable', variable, isSet: true })
    return variable
  }
}

/** What a form gives for a value that is known now. */
function shaped(value: string | undefined, form: Form | undefined): Value {
  if (form === undefined) return text(value ?? '')
  if ('word' in form) {
    const isSet = value !== undefined && !(form.sign.startsWith(':') && value === '')
    if (form.sign.endsWith('+')) return isSet ? form.word : []
    return isSet ? text(value) : form.word
  }
  const pattern = shellPattern(form.pattern)
  if (!pattern) return text(value ?? '')
  if ('by' in form) return text(pattern.replaced(value ?? '', plainText(form.by) ?? '', form.sign === '//'))
  const longest = form.sign.length > 1
  return text(
    form.sign.startsWith('#') ? pattern.withoutStart(value ?? '', longest) : pattern.withoutEnd(value ?? '', longest),
  )
}

import type { Value } from './convert-value.js'

/** A recipe: what its forms, a bash script and a TypeScript module, are written from. */
export interface Recipe {
  /** Where it comes from, for its first line. */
  readonly source: string
  readonly statements: readonly Statement[]
  /** Variables of the environment that it reads, in the order of the file. */
  readonly variables: readonly string[]
  /** Whether it takes files from a context, and what of that is left out: a path below the context. */
  readonly hasContext: boolean
  readonly ignorefile?: string
  /** Whether it writes files of its own. */
  readonly hasFiles: boolean
  /** The container that becomes the image, and the others. */
  readonly target: string
  readonly containers: readonly string[]
}

/** One line of a recipe. `container` and `variable` are names of the recipe. */
export type Statement =
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: 'gap' }
  /** A variable of the environment; without a default it may be unset. */
  | { readonly kind: 'argument'; readonly variable: string; readonly given: string; readonly value?: Value }
  | { readonly kind: 'set'; readonly variable: string; readonly value: Value }
  /** What a container's environment has under a name. */
  | { readonly kind: 'own'; readonly variable: string; readonly container: string; readonly name: string }
  | { readonly kind: 'from'; readonly container: string; readonly base: Base; readonly platform?: Value }
  /** A file of the recipe's own folder, for the verb that follows. */
  | { readonly kind: 'file'; readonly name: string; readonly content: Value }
  | Call

/** What a container begins with. */
export type Base =
  | { readonly kind: 'image'; readonly name: Value }
  | { readonly kind: 'container'; readonly container: string }

/** A verb on a container. */
export interface Call {
  readonly kind: 'call'
  readonly verb: 'run' | 'copy' | 'add' | 'config' | 'workdir'
  readonly container: string
  readonly options: readonly Option[]
  readonly words: readonly Value[]
}

/** An option of a verb, in the SDK's spelling. */
export type Option =
  | { readonly name: string; readonly kind: 'flag'; readonly value: boolean }
  | { readonly name: string; readonly kind: 'one'; readonly value: Value }
  | { readonly name: string; readonly kind: 'list'; readonly values: readonly Value[] }
  /** A command: a list of words. */
  | { readonly name: string; readonly kind: 'words'; readonly words: readonly string[] }
  /** A number of the file, or a variable of one. */
  | { readonly name: string; readonly kind: 'number'; readonly value: string }
  /** NAME=value of variables; one that is not `isSet` counts only when it is given. */
  | { readonly name: string; readonly kind: 'given'; readonly variables: readonly Given[] }
  /** Secrets, each of which counts only when its variable is set. */
  | { readonly name: 'secret'; readonly kind: 'secrets'; readonly secrets: readonly Secret[] }
  /** Where the files are: the context, the recipe's own files, or another container. */
  | { readonly name: 'contextdir' | 'from'; readonly kind: 'place'; readonly place: Place }

/** A secret of the recipe, and the variable of the environment that holds it. */
export interface Secret {
  readonly id: string
  readonly variable: string
}

export interface Given {
  readonly name: string
  readonly variable: string
  readonly isSet: boolean
}

export type Place = 'context' | 'files' | { readonly container: string }

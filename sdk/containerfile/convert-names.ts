import type { ArgInstruction, Containerfile } from './syntax.js'

/** Gives every container and variable of a recipe a name of its own. */
export class Names {
  readonly #taken = new Set<string>(reserved)
  /** ARGs that do not mean the same everywhere in the file. */
  readonly #several: ReadonlySet<string>

  constructor(file: Containerfile) {
    this.#several = severalOf(file)
    // A variable that the environment gives keeps its name.
    for (const name of argumentNames(file)) this.#taken.add(givenName(name))
  }

  /** A name like the wanted one. */
  unique(wanted: string): string {
    const plain = wanted.replace(/\W/g, '_').replace(/^(?=\d)/, '_')
    let name = plain
    for (let n = 2; this.#taken.has(name); n++) name = `${plain}_${n}`
    this.#taken.add(name)
    return name
  }

  /** The variable of an ARG, where it is declared. */
  argument(name: string, where: string): string {
    return this.#several.has(name) ? this.unique(`${where}_${name}`) : givenName(name)
  }
}

/** The variable of the environment that gives an ARG its value: not one that every environment has. */
export function givenName(name: string): string {
  return everywhere.has(name) || reserved.has(name) ? `ARG_${name}` : name
}

const everywhere: ReadonlySet<string> = new Set(
  'PATH HOME USER LOGNAME SHELL PWD OLDPWD LANG LANGUAGE TERM TMPDIR HOSTNAME MAIL EDITOR IFS PS1 PS4 ENV BASH_ENV UID EUID PPID GROUPS RANDOM SECONDS LINENO HOSTTYPE OSTYPE MACHTYPE SHELLOPTS BASHOPTS BASH DIRSTACK NODE_OPTIONS NODE_PATH BUILDER_ROOT BUILDER_RUNROOT SOURCE_DATE_EPOCH'.split(
    ' ',
  ),
)

const reserved: ReadonlySet<string> = new Set(
  'context files image own one clean given from join need break case catch class const continue debugger default delete do else enum export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield await async of process console undefined builder then fi done esac elif until select time coproc set test trap exit cd'.split(
    ' ',
  ),
)

/** An ARG with two defaults, or one in some places only, is two variables. */
function severalOf(file: Containerfile): ReadonlySet<string> {
  const defaults = new Map<string, Set<string>>()
  const globals = new Set(file.args.flatMap(({ args }) => args.map(({ name }) => name)))
  const note = ({ args }: ArgInstruction, isGlobal: boolean) => {
    for (const { name, value } of args) {
      if (value === undefined && !isGlobal && globals.has(name)) continue
      const known = defaults.get(name) ?? new Set()
      defaults.set(name, known.add(value ?? '\0none'))
      // A default with variables may mean something else elsewhere.
      if (value?.includes('$') && !isGlobal) known.add(`\0${known.size}`)
    }
  }
  for (const one of file.args) note(one, true)
  for (const { instructions } of file.stages)
    for (const one of instructions) if (one.instruction === 'ARG') note(one, false)
  return new Set([...defaults].flatMap(([name, values]) => (values.size > 1 ? [name] : [])))
}

function argumentNames(file: Containerfile): readonly string[] {
  const all = [...file.args, ...file.stages.flatMap(({ instructions }) => instructions)]
  return all.flatMap((one) => (one.instruction === 'ARG' ? one.args.map(({ name }) => name) : []))
}

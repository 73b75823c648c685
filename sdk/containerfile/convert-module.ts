import { IndentationText, Project, QuoteKind, type SourceFile } from 'ts-morph'
import type { Base, Call, Given, Option, Place, Recipe, Secret, Statement } from './convert-recipe.js'
import { type Form, ownName, type Part, plainText, type Value } from './convert-value.js'

/** Writes a recipe as a TypeScript module. */
export function moduleRecipe(recipe: Recipe): string {
  const project = new Project({
    useInMemoryFileSystem: true,
    manipulationSettings: { indentationText: IndentationText.TwoSpaces, quoteKind: QuoteKind.Single },
  })
  const file = project.createSourceFile('recipe.ts')
  const writer = new ModuleWriter(recipe)
  addImports(file, recipe)
  file.addStatements(writer.arguments())
  if (writer.uses('own')) addOwn(file)
  if (recipe.variables.length > 0 && writer.uses('given')) addGiven(file)
  if (writer.uses('need')) addNeed(file)
  file.addStatements(`\n${writer.statements().join('\n')}`)
  file.formatText({ semicolons: 'remove' as never, indentSize: 2 })
  return `${head(recipe).join('\n')}\n${file.getFullText()}`
}

function head({ source, variables, hasContext }: Recipe): readonly string[] {
  return [
    `// Made by builder convert from ${source.replace(/\p{Cc}/gu, '?')}. Prints the image's ID; an argument names the image.`,
    ...(variables.length > 0 ? [`// Variables of the environment: ${variables.join(', ')}.`] : []),
    ...(hasContext ? ['// CONTEXT is the folder that files are copied from, by default the one that you are in.'] : []),
  ]
}

function addImports(file: SourceFile, { hasFiles, statements }: Recipe): void {
  if (hasFiles) {
    file.addImportDeclaration({
      moduleSpecifier: 'node:fs/promises',
      namedImports: ['mkdtemp', 'rm', 'writeFile'],
    })
    file.addImportDeclaration({ moduleSpecifier: 'node:os', namedImports: ['tmpdir'] })
  }
  const hasIgnore = statements.length > 0
  if (hasFiles && hasIgnore) file.addImportDeclaration({ moduleSpecifier: 'node:path', namedImports: ['join'] })
  const names = hasOwn(statements) ? ['type Container', 'from', 'inspect'] : ['from']
  file.addImportDeclaration({ moduleSpecifier: 'builder-sdk', namedImports: names })
}

function hasOwn(statements: readonly Statement[]): boolean {
  return statements.some(({ kind }) => kind === 'own')
}

function addOwn(file: SourceFile): void {
  file.addFunction({
    name: 'own',
    isAsync: true,
    docs: ['The value of a variable in a container.'],
    parameters: [
      { name: 'container', type: 'Container' },
      { name: 'name', type: 'string' },
    ],
    returnType: 'Promise<string>',
    statements: [
      'const { OCIv1 } = await inspect(container.id)',
      `const entry = OCIv1.config?.Env?.find((one) => one.startsWith(\`\${name}=\`))`,
      "return entry?.slice(name.length + 1) ?? ''",
    ],
  })
}

function addGiven(file: SourceFile): void {
  file.addFunction({
    name: 'given',
    docs: ['NAME=value of each argument that has a value.'],
    parameters: [{ name: 'values', type: 'Record<string, string | undefined>' }],
    returnType: 'string[]',
    statements: [
      `return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [\`\${name}=\${value}\`]))`,
    ],
  })
}

function addNeed(file: SourceFile): void {
  file.addFunction({
    name: 'need',
    docs: ['The value of an argument that must be given.'],
    parameters: [
      { name: 'value', type: 'string | undefined' },
      { name: 'reason', type: 'string' },
    ],
    returnType: 'string',
    statements: ['if (value) return value', 'throw new Error(reason)'],
  })
}

/** Writes the lines of a module, and knows what they use. */
class ModuleWriter {
  readonly #used = new Set<string>()
  readonly #optional: ReadonlySet<string>
  readonly #lines: readonly string[]

  constructor(readonly recipe: Recipe) {
    const optional = recipe.statements.flatMap((one) => (one.kind === 'argument' && !one.value ? [one.variable] : []))
    this.#optional = new Set(optional)
    this.#lines = recipe.statements.flatMap((statement) => this.#linesOf(statement))
  }

  uses(name: string): boolean {
    return this.#used.has(name)
  }

  arguments(): readonly string[] {
    const { hasContext, hasFiles } = this.recipe
    return [
      ...(hasContext ? ["const context = process.env.CONTEXT ?? '.'"] : []),
      ...(hasFiles ? ["const files = await mkdtemp(join(tmpdir(), 'recipe-'))"] : []),
    ]
  }

  statements(): readonly string[] {
    const { target, hasFiles } = this.recipe
    const body = [...this.#lines, '', `const image = await ${target}.commit(process.argv[2])`, 'console.log(image.id)']
    if (!hasFiles) return body
    return ['try {', ...body, '} finally {', 'await rm(files, { recursive: true })', '}']
  }

  #linesOf(statement: Statement): readonly string[] {
    switch (statement.kind) {
      case 'gap':
        return ['']
      case 'comment':
        return [statement.text.replace(/^#+/, '//')]
      case 'argument': {
        const given = `process.env.${statement.given}`
        return [`const ${statement.variable} = ${given}${statement.value ? ` ?? ${this.#text(statement.value)}` : ''}`]
      }
      case 'set':
        return [`const ${statement.variable} = ${this.#text(statement.value)}`]
      case 'own':
        this.#used.add('own')
        return [`const ${statement.variable} = await own(${statement.container}, '${statement.name}')`]
      case 'from': {
        const platform = statement.platform ? `, platform: ${this.#text(statement.platform)}` : ''
        const options = `{ layers: true, history: true${platform} }`
        return [`await using ${statement.container} = await from(${this.#base(statement.base)}, ${options})`]
      }
      case 'file':
        return [`await writeFile(join(files, ${quoted(statement.name)}), ${this.#text(statement.content)})`]
      case 'call':
        return [`await ${statement.container}.${statement.verb}(${this.#callArguments(statement)})`]
    }
  }

  #base(base: Base): string {
    return base.kind === 'image' ? this.#text(base.name) : `(await ${base.container}.commit()).id`
  }

  #callArguments({ verb, words, options }: Statement & { readonly kind: 'call' }): string {
    const texts = words.map((value) => this.#text(value))
    const given = options.flatMap((option) => this.#option(option, verb))
    const object = given.length > 0 ? [`{ ${given.join(', ')} }`] : []
    if (verb === 'config') return object.join('')
    if (verb === 'workdir') return texts.join('')
    if (verb === 'run') return [`[${texts.join(', ')}]`, ...object].join(', ')
    const sources = texts.length > 2 ? `[${texts.slice(0, -1).join(', ')}]` : (texts[0] ?? '')
    return [sources, texts.at(-1) ?? '', ...object].join(', ')
  }

  #option(option: Option, verb: Call['verb']): readonly string[] {
    const { name } = option
    switch (option.kind) {
      case 'flag':
        return [`${name}: ${option.value}`]
      case 'one':
        return [`${name}: ${this.#text(option.value)}`]
      case 'list':
        return [`${name}: [${option.values.map((value) => this.#text(value)).join(', ')}]`]
      case 'words':
        return [`${name}: [${option.words.map(quoted).join(', ')}]`]
      case 'number':
        return [`${name}: ${option.value}`]
      case 'given':
        return [`${name}: ${this.#given(option.variables)}`]
      case 'secrets':
        return [`${name}: [${option.secrets.map(secretText).join(', ')}]`]
      case 'place':
        return this.#place(name, option.place, verb)
    }
  }

  #given(variables: readonly Given[]): string {
    this.#used.add('given')
    const pairs = variables.map(({ name, variable }) =>
      name === variable ? name : `${/^\w+$/.test(name) ? name : quoted(name)}: ${variable}`,
    )
    return `given({ ${pairs.join(', ')} })`
  }

  #place(name: string, place: Place, verb: Call['verb']): readonly string[] {
    if (typeof place === 'object') return [`${name}: ${place.container}.id`]
    if (place === 'files') return [`${name}: files`]
    const { ignorefile } = this.recipe
    const ignored =
      ignorefile === undefined || verb === 'run' ? [] : [`ignorefile: \`\${context}/${inTemplate(ignorefile)}\``]
    return [name === 'contextdir' ? 'contextdir: context' : `${name}: context`, ...ignored]
  }

  /** An expression that gives a value's text. */
  #text(value: Value): string {
    const plain = plainText(value.map(withOwnName))
    if (plain !== undefined) return quoted(plain)
    const [only] = value
    if (value.length === 1 && only?.kind === 'variable' && !this.#isContainer(only.name)) return this.#variable(only)
    return `\`${value
      .map(withOwnName)
      .map((part) => this.#inTemplate(part))
      .join('')}\``
  }

  #inTemplate(part: Part): string {
    if (part.kind === 'text') return inTemplate(part.text)
    if (part.kind === 'own') return part.name
    return `\${${this.#isContainer(part.name) ? `${part.name}.id` : this.#variable(part)}}`
  }

  #isContainer(name: string): boolean {
    return this.recipe.containers.includes(name)
  }

  #variable({ name, form }: Part & { readonly kind: 'variable' }): string {
    const maybe = this.#optional.has(name)
    if (!form) return maybe ? `${name} ?? ''` : name
    return `(${this.#shaped(maybe ? `(${name} ?? '')` : name, name, form)})`
  }

  #shaped(set: string, name: string, form: Form): string {
    if ('word' in form) {
      const word = this.#text(form.word)
      switch (form.sign) {
        case ':-':
          return `${name} || ${word}`
        case '-':
          return this.#optional.has(name) ? `${name} ?? ${word}` : name
        case ':+':
          return `${name} ? ${word} : ''`
        case '+':
          return this.#optional.has(name) ? `${name} === undefined ? '' : ${word}` : word
        default:
          this.#used.add('need')
          return `need(${name}, ${form.word.length > 0 ? word : quoted(`${name} must be set`)})`
      }
    }
    if ('by' in form) return replacement(set, form.pattern, this.#text(form.by), form.sign === '//')
    return `${set}.replace(${trimming(form.sign, form.pattern)})`
  }
}

/** `config` itself puts the container's value in place of the name. */
function withOwnName(part: Part, i: number, all: Value): Part {
  return part.kind === 'own' ? { kind: 'text', text: ownName(part.name, all[i + 1]) } : part
}

function replacement(set: string, pattern: string, by: string, all: boolean): string {
  return `${set}.replace(/${regular(pattern, '.*')}/${all ? 'g' : ''}, () => ${by})`
}

/** `#` and `%` take the shortest part away, `##` and `%%` the longest. */
function trimming(sign: string, pattern: string): string {
  const longest = sign.length > 1
  if (sign.startsWith('#')) return `/^${regular(pattern, longest ? '.*' : '.*?')}/, ''`
  return longest ? `/${regular(pattern, '.*?')}$/, ''`.replace('.*?', '.*') : `/^(.*)${regular(pattern, '.*?')}$/, '$1'`
}

function regular(pattern: string, any: string): string {
  return [...pattern]
    .map((c) => (c === '*' ? any : c === '?' ? '.' : c.replace(/[.+\-^$()[\]{}|\\/]/, '\\$&')))
    .join('')
}

/** A string literal. */
function quoted(text: string): string {
  if (/\n./s.test(text)) return `\`${inTemplate(text)}\``
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

function inTemplate(text: string): string {
  return text.replace(/[\\`]|\$(?=\{)/g, '\\$&').replace(/\r/g, '\\r')
}

function secretText({ id, variable }: Secret): string {
  return `...(process.env.${variable} === undefined ? [] : ['id=${id},env=${variable}'])`
}

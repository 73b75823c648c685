import { basename, join } from 'node:path'
import { type FunctionDeclaration, Node, type ParameterDeclaration, Project, type SourceFile, ts } from 'ts-morph'
import type { Completes, Example, Flag, Positional, Verb, Where } from '../verb.js'
import { type Doc, readDoc, tagOf, tagsOf } from './doc.js'
import { Faults } from './faults.js'
import { kebab, readFlags } from './flags.js'

/** What the sources say: the verbs in the order of their names, and the flags that all of them take. */
export interface Sources {
  readonly verbs: readonly Verb[]
  readonly globals: readonly Flag[]
}

/**
 * Reads `sdk/verbs/*.ts` below a folder: every exported function with `@verb` in its documentation is a verb.
 * Throws a GeneratorError that names every fault with file, line and what to write.
 */
export function readVerbs(top: string): Sources {
  const project = new Project({ compilerOptions, skipAddingFilesFromTsConfig: true })
  const files = project.addSourceFilesAtPaths(join(top, 'sdk/verbs/*.ts'))
  const faults = new Faults(top)
  const globals = new Map<string, Flag>()
  const verbs = files.flatMap((file) => readFile(file, globals, faults))
  checkNames(verbs, files, faults)
  faults.throwIfAny()
  verbs.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { verbs, globals: [...globals.values()] }
}

const compilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: [],
}

function readFile(file: SourceFile, globals: Map<string, Flag>, faults: Faults): Verb[] {
  const functions = file.getFunctions().filter((one) => one.isExported() && one.getName() !== undefined)
  const verbs = functions.flatMap((one) => {
    const doc = readDoc(one, faults)
    return tagOf(doc, 'verb') === undefined ? [] : [readVerb(file, one, doc, globals, faults)]
  })
  if (verbs.length > 0) checkExports(file, faults)
  return verbs
}

function readVerb(
  file: SourceFile,
  it: FunctionDeclaration,
  doc: Doc,
  globals: Map<string, Flag>,
  faults: Faults,
): Verb {
  const name = tagOf(doc, 'verb') || kebab(it.getName() ?? '')
  const isOptions = (parameter: ParameterDeclaration) => /^_?options$/.test(parameter.getName())
  const options = it.getParameters().find(isOptions)
  if (!options) faults.add(it, `verb ${name} takes no options; write options: GlobalOptions = {} as its last parameter`)
  const flags = options ? readFlags(options.getType(), faults) : { own: [], global: [] }
  for (const flag of flags.global) globals.set(flag.name, flag)
  const positionals = it.getParameters().filter((one) => !isOptions(one))
  const read = positionals.map((parameter) => readPositional(parameter, doc, faults))
  const where = tagOf(doc, 'where') ?? 'inside'
  if (!isWhere(where)) faults.add(it, `@where ${where} is unknown; write inside, outside or holder`)
  if (read.filter(({ many }) => many).length > 1) faults.add(it, `verb ${name} takes two lists; write one`)
  checkParams(it, doc, faults)
  checkFlags(it, [...flags.own, ...flags.global], faults)
  return {
    name,
    aliases: tagsOf(doc, 'alias').flatMap((text) => text.split(/[\s,]+/)),
    ...proseOf(doc),
    where: isWhere(where) ? where : 'inside',
    positionals: read,
    flags: flags.own,
    passthrough: tagOf(doc, 'passthrough') !== undefined || positionals.at(-1)?.getName() === 'command',
    stdout: tagOf(doc, 'stdout') ?? '',
    examples: tagsOf(doc, 'example').flatMap(exampleFrom),
    call: it.getName() ?? '',
    file: basename(file.getFilePath(), '.ts'),
    present: file.getFunction('present')?.isExported() ?? false,
    hidden: tagOf(doc, 'hidden') !== undefined,
    offline: tagOf(doc, 'offline') !== undefined,
  }
}

function isWhere(text: string): text is Where {
  return text === 'inside' || text === 'outside' || text === 'holder' || text === 'session'
}

/** The first sentence is the summary; a paragraph that begins with "Throws" is about errors. */
function proseOf(doc: Doc): Pick<Verb, 'summary' | 'prose' | 'throws'> {
  const [first = '', ...others] = doc.paragraphs
  const [, summary = first, rest = ''] = /^(.*?[.!])\s+([\s\S]*)$/.exec(first) ?? []
  const all = [...(rest ? [rest] : []), ...others, ...tagsOf(doc, 'remarks')]
  const isThrows = (text: string) => text.startsWith('Throws ')
  const thrown = [...all.filter(isThrows), ...tagsOf(doc, 'throws')]
  return { summary, prose: all.filter((text) => !isThrows(text)), throws: thrown.join(' ') }
}

function exampleFrom(text: string): Example[] {
  const blocks = [...text.matchAll(/```(\w*)\n([\s\S]*?)\n?```/g)]
  return blocks.map(([, language, code = '']) => ({ language: language === 'ts' ? 'ts' : 'sh', code }))
}

function readPositional(parameter: ParameterDeclaration, doc: Doc, faults: Faults): Positional {
  const key = parameter.getName()
  const type = parameter.getType().getNonNullableType()
  const many = type.isReadonlyArray() || type.isArray()
  const isText = many ? type.getArrayElementType()?.isString() : type.isString() || type.isUnion()
  if (!isText)
    faults.add(parameter, `parameter ${key} is neither a string nor a list of them; move it into the options`)
  const found = tagsOf(doc, 'param').find((text) => text.split(/\s/)[0] === key)
  const text = (found ?? '').slice(key.length).replace(/^\s*-?\s*/, '')
  if (text === '') faults.add(parameter, `parameter ${key} has no documentation; write @param ${key} - What it is.`)
  const word = kebab(many ? key.replace(/s$/, '') : key).toUpperCase()
  return {
    name: word,
    text,
    // One that stands before others is absent as `undefined`.
    ...(parameter.isOptional() || parameter.getType().isNullable() ? { optional: true } : {}),
    ...(many ? { many: true } : {}),
    completes: completesFor(key),
  }
}

function completesFor(key: string): Completes {
  if (/^containers?$/i.test(key)) return 'container'
  if (/^(images?|lists?)$/i.test(key)) return 'image'
  if (/^(source|destination)$/i.test(key)) return 'file'
  return /^(sources|files?|paths?|context|archive|director(y|ies)|folders?)$/i.test(key) ? 'file' : 'nothing'
}

function checkParams(it: FunctionDeclaration, doc: Doc, faults: Faults): void {
  const names = it.getParameters().map((one) => one.getName())
  for (const text of tagsOf(doc, 'param')) {
    const name = text.split(/\s/)[0] ?? ''
    if (!names.includes(name)) faults.add(it, `@param ${name} is no parameter; write one of ${names.join(', ')}`)
  }
  if (doc.paragraphs.length === 0) faults.add(it, `verb ${it.getName()} has no documentation; write what it does`)
}

function checkFlags(it: FunctionDeclaration, flags: readonly Flag[], faults: Faults): void {
  const taken = new Set(['help'])
  for (const flag of flags)
    for (const spelling of spellingsOf(flag)) {
      if (taken.has(spelling)) faults.add(it, `two options are spelt ${spelling}; write another @flag or @short`)
      taken.add(spelling)
    }
}

function spellingsOf({ name, also = [], short, negatable }: Flag): string[] {
  return [name, ...also, ...(negatable ? [`no-${name}`] : []), ...(short ? [short] : [])]
}

function checkExports(file: SourceFile, faults: Faults): void {
  for (const [name, declarations] of file.getExportedDeclarations())
    for (const one of declarations) {
      const home = Node.isVariableDeclaration(one) ? one.getVariableStatement() : one
      if (!home || !Node.isJSDocable(home) || home.getSourceFile() !== file) continue
      if (home.getJsDocs().length === 0) faults.add(one, `export ${name} has no documentation; write /** … */ above it`)
    }
}

function checkNames(verbs: readonly Verb[], files: readonly SourceFile[], faults: Faults): void {
  const taken = new Set<string>(['help', 'completion'])
  for (const { name, aliases, file } of verbs)
    for (const spelling of [name, ...aliases]) {
      const source = files.find((one) => one.getBaseNameWithoutExtension() === file)
      if (taken.has(spelling) && source)
        faults.add(source, `two verbs are called ${spelling}; write another @verb or @alias`)
      if (!/^[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)?$/.test(spelling) && source)
        faults.add(source, `"${spelling}" is no verb name; write one or two words in kebab-case after @verb or @alias`)
      taken.add(spelling)
    }
}

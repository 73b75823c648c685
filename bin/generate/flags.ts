import { Node, type PropertySignature, type Symbol as TsSymbol, type Type } from 'ts-morph'
import type { Flag, FlagKind } from '../verb.js'
import { type Doc, readDoc, tagOf } from './doc.js'
import type { Faults } from './faults.js'

/** The flags of an options type, inherited ones last, and which of them are declared in GlobalOptions. */
export function readFlags(options: Type, faults: Faults): { own: Flag[]; global: Flag[] } {
  const own: Flag[] = []
  const global: Flag[] = []
  for (const property of options.getProperties()) {
    const declaration = property.getDeclarations().find(Node.isPropertySignature)
    if (!declaration) continue
    const flag = readFlag(property, declaration, faults)
    if (flag) (isGlobal(declaration) ? global : own).push(flag)
  }
  return { own, global }
}

function isGlobal(declaration: PropertySignature): boolean {
  const parent = declaration.getParent()
  return Node.isInterfaceDeclaration(parent) && parent.getName() === 'GlobalOptions'
}

function readFlag(property: TsSymbol, declaration: PropertySignature, faults: Faults): Flag | undefined {
  const doc = readDoc(declaration, faults)
  if (tagOf(doc, 'sdk') !== undefined) return undefined
  const key = property.getName()
  const text = doc.paragraphs.join(' ')
  if (text === '') faults.add(declaration, `option ${key} has no documentation; write /** What it does. */ above it`)
  const shape = inOrder(shapeOf(property.getTypeAtLocation(declaration)), declaration)
  if (!shape) {
    const type = declaration.getTypeNode()?.getText() ?? 'unknown'
    faults.add(declaration, `option ${key} of type ${type} cannot be a flag; write @sdk into its documentation`)
    return undefined
  }
  if (!declaration.hasQuestionToken()) faults.add(declaration, `option ${key} is not optional; write ${key}?:`)
  const flag = flagFrom(key, text, shape, doc)
  for (const fault of faultsOf(flag, doc)) faults.add(declaration, `option ${key}: ${fault}`)
  return flag
}

/** The compiler sorts a union by what it met first anywhere; here the choices stand as they are written. */
function inOrder(shape: Shape | undefined, declaration: PropertySignature): Shape | undefined {
  if (!shape?.choices) return shape
  const text = declaration.getTypeNode()?.getText() ?? ''
  const place = (choice: string) => text.indexOf(`'${choice}'`)
  return { ...shape, choices: [...shape.choices].sort((a, b) => place(a) - place(b)) }
}

interface Shape {
  readonly kind: FlagKind
  readonly choices?: readonly string[]
}

/** A line or a list of its words is a string on the command line; other unions follow the contract of `FlagKind`. */
function shapeOf(type: Type): Shape | undefined {
  const parts = (type.isUnion() ? type.getUnionTypes() : [type]).filter((part) => !part.isUndefined())
  const lists = parts.filter((part) => part.isReadonlyArray() || part.isArray())
  const others = parts.filter((part) => !lists.includes(part))
  if (lists.length > 0 && others.length === 0) return listOf(lists)
  const booleans = others.filter((part) => part.isBoolean() || part.isBooleanLiteral())
  const values = others.filter((part) => !booleans.includes(part))
  if (values.length === 0) return booleans.length > 0 ? { kind: 'boolean' } : undefined
  const literals = values.every((part) => part.isStringLiteral()) ? values.map((part) => literalOf(part)) : undefined
  if (!literals && !values.every((part) => part.isString() || part.isNumber() || part.isStringLiteral()))
    return undefined
  const choices = literals ? { choices: literals } : {}
  if (booleans.length > 0) return { kind: 'optional-value', ...choices }
  if (literals) return { kind: 'choice', ...choices }
  return { kind: values.every((part) => part.isNumber()) ? 'number' : 'string' }
}

function listOf(lists: readonly Type[]): Shape | undefined {
  const element = lists[0]?.getArrayElementType()
  const parts = element?.isUnion() ? element.getUnionTypes() : element ? [element] : []
  if (parts.every((part) => part.isStringLiteral())) return { kind: 'list', choices: parts.map(literalOf) }
  return parts.every((part) => part.isString()) ? { kind: 'list' } : undefined
}

function literalOf(type: Type): string {
  return String(type.getLiteralValue())
}

function flagFrom(key: string, text: string, shape: Shape, doc: Doc): Flag {
  const short = tagOf(doc, 'short')
  const placeholder = tagOf(doc, 'placeholder')
  const fallback = tagOf(doc, 'default') ?? tagOf(doc, 'defaultValue')
  const choices = tagOf(doc, 'choices')?.split(/[\s,|]+/) ?? shape.choices
  const kind = shape.kind === 'string' && choices ? 'choice' : shape.kind
  const [name = kebab(key), ...also] = tagOf(doc, 'flag')?.split(/[\s,]+/) ?? []
  return {
    name,
    ...(also.length > 0 ? { also } : {}),
    key,
    kind,
    text,
    ...(short === undefined ? {} : { short }),
    ...(placeholder ? { placeholder } : {}),
    ...(choices ? { choices } : {}),
    ...(fallback ? { default: fallback.replaceAll('`', '') } : {}),
    ...(tagOf(doc, 'negatable') === undefined ? {} : { negatable: true }),
    ...(tagOf(doc, 'hidden') === undefined ? {} : { hidden: true }),
  }
}

function faultsOf(flag: Flag, doc: Doc): string[] {
  const { kind, short, negatable, placeholder, name, also } = flag
  const faults: string[] = []
  if (short !== undefined && !/^[A-Za-gi-z0-9]$/.test(short)) faults.push('write one letter after @short, and not h')
  if (short !== undefined && kind === 'optional-value')
    faults.push('a value that may be absent has no @short; remove it')
  if (negatable && kind !== 'boolean') faults.push('only a boolean is @negatable; remove the tag')
  if (placeholder && kind === 'boolean') faults.push('a boolean takes no value; remove @placeholder')
  if (tagOf(doc, 'placeholder') === '') faults.push('write what stands for the value after @placeholder, as FILE')
  for (const spelling of [name, ...(also ?? [])])
    if (!/^[a-z][a-z0-9-]*$/.test(spelling)) faults.push(`--${spelling} is no flag name; write @flag and kebab-case`)
  return faults
}

/** `capAdd` is `cap-add`, `sourceDateEpoch` is `source-date-epoch`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

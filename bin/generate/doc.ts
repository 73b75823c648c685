import type { JSDoc, JSDocableNode, Node } from 'ts-morph'
import { nearestWord } from '../../sdk/image/near-word.js'
import type { Faults } from './faults.js'

/** A TSDoc comment taken apart. */
export interface Doc {
  /** Paragraphs before the first tag, each on one line; lists and code keep their lines. */
  readonly paragraphs: readonly string[]
  readonly tags: readonly DocTag[]
}

export interface DocTag {
  readonly name: string
  readonly text: string
}

/**
 * The TSDoc of a declaration. A tag may stand at the start of a line, or, where it is one of the generator's own, at
 * the end of a sentence: `Print nothing. @short q`. A tag that nobody knows is a fault, for it is most likely misspelt.
 */
export function readDoc(node: Node & JSDocableNode, faults: Faults): Doc {
  const doc = node.getJsDocs().at(-1)
  if (!doc) return { paragraphs: [], tags: [] }
  const [description = '', ...rest] = splitAtTags(withoutMarks(doc))
  const tags = rest.map((text) => {
    const [, name = '', body = ''] = /^@(\w+)\s*([\s\S]*)$/.exec(text) ?? []
    if (!ownTags.includes(name) && !otherTags.includes(name)) faults.add(doc, unknownTag(name))
    return { name, text: name === 'example' ? body.trim() : inLine(body) }
  })
  return { paragraphs: paragraphsOf(description), tags }
}

/** The text of the first tag of that name; an empty string when the tag stands alone. */
export function tagOf(doc: Doc, name: string): string | undefined {
  return doc.tags.find((tag) => tag.name === name)?.text
}

export function tagsOf(doc: Doc, name: string): readonly string[] {
  return doc.tags.filter((tag) => tag.name === name).map(({ text }) => text)
}

const ownTags = [
  ...['verb', 'where', 'stdout', 'alias', 'passthrough', 'offline'],
  ...['short', 'placeholder', 'choices', 'default', 'negatable', 'sdk', 'hidden', 'flag'],
]
const otherTags = ['param', 'returns', 'throws', 'example', 'remarks', 'see', 'defaultValue', 'deprecated', 'internal']

function withoutMarks(doc: JSDoc): string {
  const lines = doc
    .getText()
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n')
  return lines.map((line) => line.replace(/^\s*\* ?/, '')).join('\n')
}

/** Splits before each tag; what is in a code block or in backticks is text. */
function splitAtTags(text: string): string[] {
  const parts: string[] = []
  const inSentence = new RegExp(`(?<=[.;:)\`]\\s+)@(?:${ownTags.join('|')})\\b`, 'g')
  let isCode = false
  for (const line of text.split('\n')) {
    if (line.trim().startsWith('```')) isCode = !isCode
    const pieces = isCode ? [line] : line.replace(inSentence, '\n$&').split('\n')
    for (const piece of pieces) {
      if (!isCode && /^\s*@\w/.test(piece)) parts.push(piece.trim())
      else parts.push(`${parts.pop() ?? ''}\n${piece}`)
    }
  }
  return parts[0]?.trim().startsWith('@') ? ['', ...parts] : parts
}

function paragraphsOf(text: string): string[] {
  const blocks = text.trim().split(/\n\s*\n/)
  return blocks.map(inLine).filter((block) => block !== '')
}

/** On one line, links as their words; a list keeps one line an item. */
function inLine(text: string): string {
  const words = text.trim().replace(/\{@link\s+([^}]+)\}/g, '`$1`')
  return words.replace(/\s*\n\s*(?!- )/g, ' ').replace(/\s*\n\s*- /g, '\n- ')
}

function unknownTag(name: string): string {
  const known = nearestWord(name, [...ownTags, ...otherTags])
  return `nobody knows the tag @${name}; write ${known ? `@${known}` : `one of @${ownTags.join(' @')}`}`
}

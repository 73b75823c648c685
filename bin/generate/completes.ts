import type { Flag, Verb } from '../verb.js'
import type { Sources } from './read.js'

/** What a shell can offer for a flag's value. */
export type Offer = { readonly words: readonly string[] } | 'container' | 'image' | 'file' | 'nothing'

/** What to offer for a value, by the flag's choices or its placeholder. */
export function offerFor({ choices, placeholder = '' }: Flag): Offer {
  if (choices) return { words: choices }
  if (placeholder.includes('CONTAINER|IMAGE') || placeholder === 'CONTAINER') return 'container'
  if (placeholder === 'IMAGE') return 'image'
  return /^(FILE|PATH|DIR|FOLDER|HOST\b)/.test(placeholder) ? 'file' : 'nothing'
}

/** All spellings of a flag, with dashes. */
export function spellings({ name, also = [], short, negatable }: Flag): string[] {
  const long = [name, ...also, ...(negatable ? [`no-${name}`] : [])].map((one) => `--${one}`)
  return short ? [`-${short}`, ...long] : long
}

/** What people see: hidden verbs and flags work and are not offered. */
export function visible<T extends { readonly hidden?: boolean }>(all: readonly T[]): readonly T[] {
  return all.filter(({ hidden }) => !hidden)
}

/** The words that can stand first: verbs of one word, groups, and what is built in; each with a description. */
export function firstWords({ verbs }: Sources): ReadonlyMap<string, string> {
  const words = visible(verbs).map(({ name, summary }): [string, string] => {
    const [first = ''] = name.split(' ')
    return first === name ? [name, sentence(summary)] : [first, `Verbs for ${first}s`]
  })
  const builtIn: [string, string][] = [
    ['completion', 'Prints the completion script of a shell'],
    ['help', 'Shows the help on a verb'],
  ]
  return new Map([...words, ...builtIn])
}

/** The first words of verbs with two. */
export function groups({ verbs }: Sources): readonly string[] {
  return [...new Set(verbs.filter(({ name }) => name.includes(' ')).map(({ name }) => name.split(' ')[0] as string))]
}

/** The second words of a group. */
export function members({ verbs }: Sources, group: string): readonly Verb[] {
  return visible(verbs).filter(({ name }) => name.startsWith(`${group} `))
}

/** The first sentence, or what stands before its first colon or semicolon, without markup. */
export function sentence(text: string): string {
  const [, first = text] = /^(.*?)(?:[.;:](?:\s|$)|$)/s.exec(text) ?? []
  return first.replaceAll('`', '')
}

import { findVerb, isGroup, unknownVerb } from './choose.js'
import { completionHelp } from './completion.js'
import {
  type Flag,
  formatFlag,
  formatPositional,
  formatUsage,
  hasManyChoices,
  type Verb,
  type VerbTable,
} from './verb.js'
import { plain, wrap } from './wrap.js'

/** How wide help may be, and whether headings may be bold. */
export interface HelpLook {
  readonly columns?: number
  readonly isBold?: boolean
}

/** The help on a verb, on a group of verbs, or on all. Throws `USAGE` for an unknown one. */
export function helpOn(topic: readonly string[], table: VerbTable, look: HelpLook = {}): string {
  const page = new Page(Math.min(100, Math.max(40, look.columns ?? 80)), look.isBold ?? false)
  const [first, second] = topic
  if (first === undefined || first === 'help') return helpOnAll(table, page)
  if (first === 'completion') return completionHelp
  const verb = (second && findVerb(table, `${first} ${second}`)) || findVerb(table, first)
  if (verb) return helpOnVerb(verb, page)
  if (isGroup(table, first) && second === undefined) return helpOnGroup(first, table, page)
  throw unknownVerb(topic.join(' '), table)
}

function helpOnAll({ verbs, globals }: VerbTable, page: Page): string {
  page.text('Builds container images as a plain user, without a daemon.')
  page.usage('builder [GLOBAL FLAGS] VERB [FLAGS] [ARGUMENTS]')
  page.heading('Verbs')
  page.pairs([
    ...verbs.filter(({ hidden }) => !hidden).map(({ name, summary }) => [name, brief(summary)] as const),
    ['completion', 'Prints the completion script of bash, zsh or fish'],
    ['help', 'Shows the help on a verb'],
  ])
  page.heading('Global flags')
  const shown = globals.filter(({ hidden }) => !hidden).map((flag) => [formatFlag(flag), briefFlag(flag)] as const)
  page.pairs([...shown, ['-h, --help', 'Show this help'], ['-v, --version', 'Show the version']])
  page.text('builder VERB --help tells more about a verb; man builder about all of it.')
  return page.toString()
}

function helpOnGroup(group: string, { verbs }: VerbTable, page: Page): string {
  page.usage(`builder ${group} VERB [FLAGS] [ARGUMENTS]`)
  page.heading('Verbs')
  const members = verbs.filter(({ name, hidden }) => name.startsWith(`${group} `) && !hidden)
  page.pairs(members.map(({ name, summary }) => [name.slice(group.length + 1), brief(summary)] as const))
  page.text(`builder ${group} VERB --help tells more about a verb.`)
  return page.toString()
}

function helpOnVerb(verb: Verb, page: Page): string {
  const { summary, positionals, prose, aliases, flags, stdout, examples } = verb
  page.text(summary)
  page.usage(`builder ${formatUsage(verb)}`)
  for (const paragraph of prose) page.text(paragraph)
  if (positionals.length > 0) page.heading('Arguments')
  page.pairs(positionals.map((one) => [formatPositional(one), one.text]))
  const shown = flagPairs(flags)
  if (shown.length > 0) page.heading('Flags')
  page.pairs(shown)
  if (stdout !== '') page.heading('Standard output')
  if (stdout !== '') page.text(stdout, '  ')
  const shell = examples.filter(({ language }) => language === 'sh')
  if (shell.length > 0) page.heading(shell.length > 1 ? 'Examples' : 'Example')
  for (const { code } of shell) page.code(code)
  if (aliases.length > 0) page.text(`Other names: ${aliases.join(', ')}`)
  page.text('Global flags: builder --help')
  return page.toString()
}

/** A summary in a list of verbs: without its full stop, and when it is long, without what follows a colon. */
export function brief(summary: string): string {
  const text = summary.replace(/\.$/, '')
  return text.length <= 60 ? text : (/^([^:;]{12,}?)[:;] /.exec(text)?.[1] ?? text)
}

/** A flag's first sentence and its choices: enough for an overview, the pages say the rest. */
function briefFlag(flag: Flag): string {
  const choices = hasManyChoices(flag) ? ` (${(flag.choices ?? []).join(', ')})` : ''
  return flag.text.replace(/[.;]( .*)?$/s, '') + choices
}

/** Short flags stand in a column of their own. */
function flagPairs(flags: readonly Flag[]): (readonly [string, string])[] {
  const shown = flags.filter(({ hidden }) => !hidden)
  const indent = shown.some(({ short }) => short) || flags.length === 0 ? '    ' : ''
  return shown.map((flag) => [`${flag.short ? '' : indent}${formatFlag(flag)}`, flagText(flag)] as const)
}

/** A flag's text with its choices and its default, where the text does not say them. */
export function flagText(flag: Flag): string {
  const choices = hasManyChoices(flag) ? ` One of ${(flag.choices ?? []).join(', ')}.` : ''
  const also = flag.also ? ` Also --${flag.also.join(', --')}.` : ''
  return `${flag.text}${choices}${flag.default ? ` Default: ${flag.default}.` : ''}${also}`
}

/** Blocks of text with an empty line between them. */
class Page {
  readonly #blocks: string[] = []
  readonly #columns: number
  readonly #isBold: boolean

  constructor(columns: number, isBold: boolean) {
    this.#columns = columns
    this.#isBold = isBold
  }

  text(text: string, indent = ''): void {
    this.#add(wrap(plain(text), this.#columns, indent))
  }

  usage(line: string): void {
    this.#add(`${this.#bold('Usage:')} ${wrap(line, this.#columns - 7, '').replaceAll('\n', '\n       ')}`)
  }

  /** Stands directly above the next block. */
  heading(text: string): void {
    this.#blocks.push(`${this.#bold(text)}\n`)
  }

  /** Names in a column, texts beside them; a name too long for the column has its text below. */
  pairs(pairs: readonly (readonly [string, string])[]): void {
    const longest = Math.max(0, ...pairs.map(([name]) => name.length))
    const column = Math.min(longest, Math.max(12, Math.floor(this.#columns * 0.36)))
    const lines = pairs.map(([name, text]) => {
      const [first = '', ...rest] = wrap(plain(text), this.#columns - column - 4, '').split('\n')
      const indent = ' '.repeat(column + 4)
      const head = name.length > column ? `  ${name}\n${indent}` : `  ${name.padEnd(column + 2)}`
      return [head + first, ...rest.map((line) => indent + line)].join('\n')
    })
    if (lines.length > 0) this.#add(lines.join('\n'))
  }

  code(code: string): void {
    this.#add(code.replace(/^(?=.)/gm, '  '))
  }

  toString(): string {
    return `${this.#blocks.join('\n\n')}\n`.replace(/\n{3,}/g, '\n\n')
  }

  #add(block: string): void {
    const heading = this.#blocks.at(-1)?.endsWith('\n') ? this.#blocks.pop() : ''
    this.#blocks.push(`${heading}${block}`)
  }

  #bold(text: string): string {
    return this.#isBold ? `\x1b[1m${text}\x1b[0m` : text
  }
}

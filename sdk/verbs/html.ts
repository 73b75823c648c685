import { visible } from './build/output.js'

/** Text that is HTML already. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** What can stand in a template: all that is no {@link Markup} is escaped, and nothing stands for undefined and false. */
export type Piece = string | number | Markup | undefined | false | readonly Piece[]

/** Puts values into HTML, in text and in quoted attributes: none of them can be anything but text. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(strings.map((text, i) => text + textOf(pieces[i])).join(''))
}

function textOf(piece: Piece): string {
  if (piece === undefined || piece === false) return ''
  if (piece instanceof Markup) return piece.text
  if (typeof piece === 'object') return piece.map(textOf).join('')
  const lines = `${piece}`.split('\n').map(visible).join('\n')
  return lines.replace(/[&<>"'`=]/g, (c) => `&#${c.charCodeAt(0)};`)
}

import { columnsOf } from '../image/table.js'
import { type Caller, divert } from '../namespace/caller.js'
import { cut } from './progress/text.js'
import { unstyled } from './style.js'

/** Lines that stand at the end of a terminal and change. */
export interface Block {
  /** At most `rows` lines for a terminal of so many columns; longer ones are cut. `now` is in milliseconds. */
  lines(rows: number, columns: number, now: number): readonly string[]
}

/**
 * The terminal of a caller. All that is redrawn on it at one time goes through here: two verbs at once, and messages
 * that come meanwhile.
 */
export function screenOf(caller: Caller): Screen {
  const known = screens.get(caller)
  if (known) return known
  const screen = new Screen(caller)
  screens.set(caller, screen)
  return screen
}

const screens = new WeakMap<Caller, Screen>()

/**
 * Draws blocks one below the other, ten times a second. The cursor is never hidden and always stands below the last
 * line, so that whatever ends this process, and whenever, leaves a terminal that can be used.
 */
export class Screen {
  readonly #caller: Caller
  readonly #blocks = new Set<Block>()
  #drawn: readonly string[] = []
  #width = 0
  #timer: NodeJS.Timeout | undefined
  #diverted: Disposable | undefined
  /** Stopped at the terminal (^Z) and gone on: the shell has written below what was drawn. */
  readonly #forget = () => {
    this.#drawn = []
  }

  constructor(caller: Caller) {
    this.#caller = caller
  }

  add(block: Block): void {
    this.#blocks.add(block)
    if (this.#diverted) return
    const { instead, diverted } = divert(this.#caller, (text) => this.#say(text))
    this.#diverted = diverted
    process.on('SIGCONT', this.#forget)
    screens.set(instead, this)
  }

  /** Takes a block away; its lines go. */
  remove(block: Block): void {
    this.#blocks.delete(block)
    this.#draw('')
    if (this.#blocks.size > 0) return
    process.off('SIGCONT', this.#forget)
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#diverted?.[Symbol.dispose]()
    this.#diverted = undefined
  }

  /** A line that stays, above the blocks. */
  print(line: string): void {
    this.#draw(`${cut(line, this.#columns)}\n`)
    this.wake()
  }

  /** Something is to be drawn from now on. */
  wake(): void {
    this.#timer ??= setInterval(() => this.#draw(''), 100).unref()
  }

  /** What others tell the caller meanwhile. */
  #say(text: string): void {
    this.#draw(text.endsWith('\n') ? text : `${text}\n`)
  }

  #draw(above: string): void {
    const columns = this.#columns
    const room = Math.max((this.#caller.rows ?? 24) - 1, 1)
    const each = Math.max(Math.floor(room / Math.max(this.#blocks.size, 1)), 1)
    const now = performance.now()
    const wanted = [...this.#blocks].flatMap((block) => block.lines(each, columns, now)).slice(0, room)
    const lines = wanted.map((line) => cut(line, columns))
    if (above === '' && lines.join('\n') === this.#drawn.join('\n')) return
    const up = this.#height(columns)
    // After a change of width the lines below are wrapped ones, which a terminal may join again: all of them go.
    const start = up > 0 ? `\r\u001b[${up}A${columns === this.#width ? '' : erase}` : ''
    // What is drawn over may be longer than the line that takes its place.
    const text = `${above}${lines.map((line) => `${line}\n`).join('')}`.replaceAll('\n', '\u001b[K\n')
    this.#caller.say(`${start}${text}${up > 0 ? erase : ''}`)
    this.#drawn = lines
    this.#width = columns
  }

  /** A terminal that became narrower has wrapped what was drawn. */
  #height(columns: number): number {
    return this.#drawn.reduce(
      (rows, line) => rows + Math.max(1, Math.ceil(columnsOf(unstyled(line)) / (columns + 1))),
      0,
    )
  }

  /** A line that fills the last column wraps on some terminals. */
  get #columns(): number {
    return Math.max((this.#caller.columns ?? 80) - 1, 1)
  }
}

/** All from the cursor to the end of the terminal. Source: ECMA-48, ED. */
const erase = '\u001b[J'

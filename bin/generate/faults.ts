import { relative } from 'node:path'
import type { Node } from 'ts-morph'

/** What is wrong in the sources, with file and line, gathered so that all of it is seen at once. */
export class Faults {
  readonly #top: string
  readonly #lines: string[] = []

  constructor(top: string) {
    this.#top = top
  }

  add(node: Node, reason: string): void {
    const file = relative(this.#top, node.getSourceFile().getFilePath())
    this.#lines.push(`${file}:${node.getStartLineNumber()}: ${reason}`)
  }

  /** Throws when there is any. */
  throwIfAny(): void {
    if (this.#lines.length > 0) throw new GeneratorError([...new Set(this.#lines)].sort())
  }
}

/** The sources cannot become a command line; each line says where and what to write. */
export class GeneratorError extends Error {
  override readonly name = 'GeneratorError'
  readonly lines: readonly string[]

  constructor(lines: readonly string[]) {
    super(lines.join('\n'))
    this.lines = lines
  }
}

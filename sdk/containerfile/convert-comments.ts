import type { SourceText } from './source-text.js'
import { linesOf } from './source-text.js'
import type { Containerfile, Instruction, Position } from './syntax.js'

/** The comments of a file, by the place of the instruction that they stand above, or in. */
export type Comments = (position: Position) => readonly string[]

/** Finds the comments that a file has between its instructions and inside them; heredocs have none. */
export function commentsOf(source: SourceText, file: Containerfile): Comments {
  const starts = new Map<string, Pick<Instruction, 'position'>>()
  const all = [...file.args, ...file.stages.flatMap(({ from, instructions }) => [from, ...instructions])]
  for (const one of all) starts.set(keyOf(one.position), one)
  const found = new Map<string, string[]>()
  const lines = linesOf(source.text)
  let waiting: string[] = []
  let inside: string | undefined
  for (let n = 0; n < lines.length; n++) {
    const line = lines[n] ?? ''
    if (/^\s*#/.test(line)) {
      const comment = line.trim()
      if (inside !== undefined) found.get(inside)?.push(comment)
      else if (!/^#\s*(?:syntax|escape|check)\s*=/i.test(comment)) waiting.push(comment)
      continue
    }
    const key = keyOf(source.positionOf(n + 1))
    const start = starts.get(key)
    if (inside === undefined && start) {
      found.set(key, waiting)
      waiting = []
      inside = key
    }
    const goesOn = line.trimEnd().endsWith(file.directives.escape) || (line.trim() === '' && inside !== undefined)
    if (goesOn || inside === undefined) continue
    n += heredocLines(starts.get(inside))
    inside = undefined
  }
  return (position) => found.get(keyOf(position)) ?? []
}

function keyOf({ file, line }: Position): string {
  return `${file}:${line}`
}

/** Lines of the bodies, and those that end them. */
function heredocLines(instruction: object | undefined): number {
  if (!instruction || !('heredocs' in instruction)) return 0
  const heredocs = instruction.heredocs as readonly { readonly content: string }[]
  return heredocs.reduce((sum, { content }) => sum + content.split('\n').length, 0)
}

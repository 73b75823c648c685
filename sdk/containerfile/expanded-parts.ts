import type { FromInstruction, Instruction } from './syntax.js'

/** A text of an instruction in which variables are expanded. */
export interface ExpandedPart {
  readonly text: string
  /** A heredoc's body: quotes are text in it. */
  readonly isHeredoc?: boolean
}

/**
 * The parts of an instruction in which variables are expanded. In the others they stay: `RUN`, `CMD`, `ENTRYPOINT` and the
 * command of `HEALTHCHECK` belong to the shell of the container, a trigger of `ONBUILD` is expanded in the build that it
 * triggers. Source: Dockerfile reference, "Environment replacement".
 */
export function expandedParts(instruction: FromInstruction | Instruction): readonly ExpandedPart[] {
  switch (instruction.instruction) {
    case 'FROM':
      return texts(instruction.image, instruction.platform)
    case 'ARG':
      return texts(...instruction.args.map(({ value }) => value))
    case 'ENV':
    case 'LABEL':
      return texts(...instruction.pairs.flatMap(({ name, value }) => [name, value]))
    case 'RUN':
      return texts(...instruction.mounts)
    case 'COPY':
    case 'ADD':
      return [
        ...texts(
          instruction.from,
          instruction.chown,
          instruction.chmod,
          instruction.checksum,
          ...(instruction.exclude ?? []),
        ),
        ...texts(...instruction.sources.filter((source) => !source.startsWith('<<')), instruction.destination),
        ...instruction.heredocs.flatMap(({ expand, content }) => (expand ? [{ text: content, isHeredoc: true }] : [])),
      ]
    case 'EXPOSE':
    case 'VOLUME':
      return texts(...instruction.values)
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
      return texts(instruction.value)
    default:
      return []
  }
}

function texts(...all: readonly (string | undefined)[]): readonly ExpandedPart[] {
  return all.flatMap((text) => (text === undefined ? [] : [{ text }]))
}

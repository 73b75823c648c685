import type { IgnoreRules } from '../layer/ignore.js'
import type { FromInstruction, Instruction, Stage } from './syntax.js'

/** What a linter may know beside the file. */
export interface LintOptions {
  /** What .containerignore leaves out of the context. */
  readonly ignoreRules?: IgnoreRules
  /** The environment (`NAME=value`) of a base image; undefined when nobody knows it without a pull. */
  readonly environmentOf?: (image: string) => readonly string[] | undefined
  /** `--build-arg`, by name. */
  readonly given?: ReadonlyMap<string, string>
  /** Throw the error of a text that cannot be expanded; else it is passed over, for the build may never come to it. */
  readonly strict?: boolean
}

/** A finding of a rule, at an instruction. */
export interface Finding {
  readonly rule: string
  readonly message: string
  readonly at: FromInstruction | Instruction
}

/** The stage that a stage begins with; undefined when that is an image. */
export function baseOf(stage: Stage, stages: readonly Stage[]): Stage | undefined {
  const wanted = stage.from.image.toLowerCase()
  return stages.slice(0, stage.index).findLast(({ name }) => name === wanted)
}

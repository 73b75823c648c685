/** Where something was written. Through includes it names the file that the author edits. */
export interface Position {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in characters; absent when the whole line is meant. */
  readonly column?: number
  /** The line itself, without its end. */
  readonly text: string
  /** The `#include` lines that led here, the nearest first. */
  readonly included?: readonly { readonly file: string; readonly line: number }[]
}

/** A Containerfile as it was written: nothing is expanded yet. Source: Dockerfile reference. */
export interface Containerfile {
  readonly directives: Directives
  /** `ARG` lines in front of the first `FROM`. */
  readonly args: readonly ArgInstruction[]
  readonly stages: readonly Stage[]
  /** What is not wrong but should be said: obsolete forms, and what the linter finds with `check`. */
  readonly warnings: readonly Warning[]
}

/** Parser directives. Source: Dockerfile reference, "Parser directives". */
export interface Directives {
  /** `# syntax=`: noted, not followed. */
  readonly syntax?: string
  readonly escape: '\\' | '`'
  /** `# check=`, as written. */
  readonly check?: string
}

/** A finding; `rule` is the frontend's published rule name. */
export interface Warning {
  readonly rule: string
  readonly message: string
  readonly position: Position
}

/** One stage: its `FROM` and what follows. */
export interface Stage {
  /** From 0. */
  readonly index: number
  /** The name after `AS`, in lower case. */
  readonly name?: string
  readonly from: FromInstruction
  readonly instructions: readonly Instruction[]
}

interface Written {
  readonly position: Position
  /** The instruction on one line as it was written, continuation lines joined; heredoc bodies not in it. */
  readonly original: string
  /** What the comments right in front of it say, a line each; absent when there are none. */
  readonly comments?: readonly string[]
}

/** The body of a `<<NAME` of `RUN`, `COPY` or `ADD`. Source: Dockerfile reference, "Here-Documents". */
export interface Heredoc {
  readonly name: string
  /** Its lines, each with its end; leading tabs are already removed for `<<-`. */
  readonly content: string
  /** False when the name was quoted: then nothing in it is expanded. */
  readonly expand: boolean
}

/** A command: words (exec form) or a line for the stage's shell. */
export type CommandLine =
  | { readonly form: 'exec'; readonly words: readonly string[] }
  | { readonly form: 'shell'; readonly line: string }

/** `NAME=value` as written; `value` keeps its quotes and variables until it is expanded. */
export interface Assignment {
  readonly name: string
  /** Absent for `ARG NAME`. */
  readonly value?: string
}

export interface FromInstruction extends Written {
  readonly instruction: 'FROM'
  readonly image: string
  readonly platform?: string
  readonly as?: string
}
export interface ArgInstruction extends Written {
  readonly instruction: 'ARG'
  readonly args: readonly Assignment[]
}
export interface RunInstruction extends Written {
  readonly instruction: 'RUN'
  readonly command: CommandLine
  readonly heredocs: readonly Heredoc[]
  /** Each `--mount` as written, variables in it not expanded. */
  readonly mounts: readonly string[]
  readonly network?: string
  readonly security?: string
  readonly device?: readonly string[]
}
/** `COPY` and `ADD`. A source that is a heredoc is `<<NAME`, and its body is in `heredocs`. */
export interface PlaceInstruction extends Written {
  readonly instruction: 'COPY' | 'ADD'
  readonly sources: readonly string[]
  readonly destination: string
  readonly heredocs: readonly Heredoc[]
  readonly from?: string
  readonly chown?: string
  readonly chmod?: string
  readonly link?: boolean
  readonly parents?: boolean
  readonly exclude?: readonly string[]
  readonly checksum?: string
  readonly keepGitDir?: boolean
  readonly unpack?: boolean
}
export interface AssignInstruction extends Written {
  readonly instruction: 'ENV' | 'LABEL'
  readonly pairs: readonly Required<Assignment>[]
}
export interface CommandInstruction extends Written {
  readonly instruction: 'CMD' | 'ENTRYPOINT'
  readonly command: CommandLine
}
export interface ShellInstruction extends Written {
  readonly instruction: 'SHELL'
  readonly words: readonly string[]
}
export interface HealthcheckInstruction extends Written {
  readonly instruction: 'HEALTHCHECK'
  /** Absent for `NONE`. */
  readonly command?: CommandLine
  readonly interval?: string
  readonly timeout?: string
  readonly startPeriod?: string
  readonly startInterval?: string
  readonly retries?: string
}
export interface ListInstruction extends Written {
  readonly instruction: 'EXPOSE' | 'VOLUME'
  readonly values: readonly string[]
}
export interface ValueInstruction extends Written {
  readonly instruction: 'USER' | 'WORKDIR' | 'STOPSIGNAL' | 'MAINTAINER' | 'ONBUILD'
  readonly value: string
}

/** What can stand in a stage after its `FROM`. */
export type Instruction =
  | ArgInstruction
  | RunInstruction
  | PlaceInstruction
  | AssignInstruction
  | CommandInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | ListInstruction
  | ValueInstruction

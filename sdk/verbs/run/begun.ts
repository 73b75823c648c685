/** A command that is ready to be executed by whoever called; then `endRun` must be called with its token. */
export interface BegunRun {
  readonly token: string
  /** Words to execute inside the namespace. */
  readonly argv: readonly string[]
  /** The environment for them. */
  readonly env: Readonly<Record<string, string>>
  /** The command that runs in the container. */
  readonly command: readonly string[]
  /** In base64 what must be taken out of its output and of errors. */
  readonly secrets?: readonly string[]
  /** What it printed when it was executed before, and how it ended: `argv` prints that again, and nothing is executed. */
  readonly output?: { readonly stdout: string; readonly stderr: string; readonly exitCode: number }
}

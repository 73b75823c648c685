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
}

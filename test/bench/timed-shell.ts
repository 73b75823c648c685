/** A bash that stays, and says how long a command took: what it costs to start the bash is not counted. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export class TimedShell {
  /** What the shell has in BUILDER_SESSION: the engine's folder; empty outside a session. */
  readonly session: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, session: string) {
    this.#child = child
    this.#lines = lines
    this.session = session
  }

  /** Starts it behind some words, as `builder unshare`, or behind none. */
  static async start(words: readonly string[], env: NodeJS.ProcessEnv): Promise<TimedShell> {
    const [program = '', ...args] = [...words, 'bash', '-c', loop]
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const { value } = await lines.next()
    if (value === undefined) throw new Error(`${words.join(' ')}: no shell started`)
    return new TimedShell(child, lines, value)
  }

  /** Evaluates a line of shell and gives the milliseconds it took; throws when it fails. */
  async run(command: string): Promise<number> {
    this.#child.stdin?.write(`${command}\0`)
    const { value } = await this.#lines.next()
    const [status, microseconds] = String(value).split(' ')
    if (status !== '0') throw new Error(`${command}: exit code ${status}`)
    return Number(microseconds) / 1000
  }

  async end(): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.stdin?.end()
    await closed
  }
}

// EPOCHREALTIME costs no process; its point is a comma in some languages.
const loop = `
echo "\${BUILDER_SESSION-}"
while IFS= read -r -d '' command; do
  from=\${EPOCHREALTIME/[.,]/}
  eval "$command" </dev/null >/dev/null
  status=$?
  echo "$status $((\${EPOCHREALTIME/[.,]/} - from))"
done
`

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dropMemoryFolder, makeMemoryFolder } from '../../runtime/memory-folder.js'
import { outputLimit } from '../../steps/record.js'
import type { StepResult } from '../../steps/step.js'
import type { ContainerRecord } from '../../store/containers.js'
import type { Store } from '../../store/store.js'
import { temporaryFolder } from '../../store/temporary.js'
import { type BegunStep, beginStep, type StepDone } from '../step/step.js'
import { runInputs, type StepRunOptions, unkeptRun } from './inputs.js'

/** A run that is a step. */
export interface RunStep {
  /** What it printed when it was executed before, and how it ended. */
  readonly output?: NonNullable<StepResult['output']>
  /** The words that print that again. */
  readonly replay?: readonly string[]
  /** The words that execute the command, and keep what it prints on its way. */
  capturing(argv: readonly string[]): readonly string[]
  /** When the command has ended, or did not come to run. What it printed passes through `redact` before it is kept. */
  end(how: 'ended' | 'failed', redact?: (text: string) => string): Promise<void>
}

/** Looks up a run in a container with steps; undefined in one without. Throws what reading its mounts throws. */
export async function beginRunStep(
  store: Store,
  record: ContainerRecord,
  args: readonly string[],
  options: StepRunOptions,
): Promise<RunStep | undefined> {
  if (!record.steps) return undefined
  const unkept = unkeptRun(record, options)
  const wish = {
    verb: 'run' as const,
    said: `run ${args.join(' ')}`,
    unkept,
    inputs: [() => runInputs(store, record, args, options)],
    createdBy: () => args.join(' '),
    told: `${argumentsText(options.buildArg)}${args.join(' ')}`,
  }
  const step = await beginStep(store, record, wish, options.signal)
  if (!step) return undefined
  if (step.hit) return replaying(store, step.hit)
  return unkept === undefined ? captured(store, step, options) : uncaptured(step)
}

/** As the field's histories tell the arguments of a build that a command saw. */
function argumentsText(given: readonly string[] = []): string {
  return given.length === 0 ? '' : `|${given.length} ${given.join(' ')} `
}

function replaying(store: Store, hit: StepResult): RunStep {
  const output = hit.output ?? { stdout: '', stderr: '', exitCode: 0 }
  const capturing = (argv: readonly string[]) => argv
  if (output.stdout + output.stderr === '')
    return { output, replay: ['sh', '-c', `exit ${output.exitCode}`], capturing, end: async () => {} }
  const folder = temporaryFolder(store)
  for (const name of streams) writeFileSync(join(folder, name), output[name])
  return {
    output,
    replay: ['sh', '-c', replay, 'sh', folder, `${output.exitCode}`],
    capturing,
    end: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

const streams = ['stdout', 'stderr'] as const

const replay = 'cat "$1/stdout"; cat "$1/stderr" >&2; exit "$2"'

/** A terminal or an input that nobody knows must stay the command's own. */
function uncaptured(step: BegunStep): RunStep {
  return {
    capturing: (argv) => argv,
    end: (how) => step.end(how === 'failed' ? { state: 'failed' } : { state: 'done' }),
  }
}

function captured(
  store: Store,
  step: BegunStep,
  { standardInput, validExitCodes = [], secret = [] }: StepRunOptions,
): RunStep {
  const own = temporaryFolder(store)
  const folder = join(own, 'output')
  // What it prints may hold a secret, which must not be on a disk before it is taken out.
  if (secret.length > 0) makeMemoryFolder(folder)
  else mkdirSync(folder)
  const script = standardInput === 'empty' ? `exec </dev/null\n${capture}` : capture
  return {
    capturing: (argv) => ['sh', '-c', script, 'sh', folder, ...argv],
    async end(how, redact = (text) => text) {
      try {
        await step.end(how === 'failed' ? { state: 'failed' } : doneIn(folder, validExitCodes, redact))
      } finally {
        dropMemoryFolder(folder)
        rmSync(own, { recursive: true, force: true })
      }
    },
  }
}

/**
 * Both streams go to the caller and into a file at once. `code` says how the command ended, and `whole` that everything it
 * printed is in the files: a caller that stops reading ends tee, and the command.
 */
const capture = `
dir=$1
shift
exec 3>&1 4>&2
{
  { "$@" 3>&- 4>&- 5>&-; echo $? >"$dir/code"; } 2>&1 >&5 |
    { tee "$dir/stderr" >&4 3>&- 5>&- && : >"$dir/stderr.whole"; }
} 5>&1 | { tee "$dir/stdout" >&3 4>&- && : >"$dir/stdout.whole"; }
read -r code <"$dir/code"
exit "$code"`

function doneIn(folder: string, validExitCodes: readonly string[], redact: (text: string) => string): StepDone {
  const code = contentOf(join(folder, 'code'))?.toString().trim()
  // Who executed it was killed: what it left is half of something.
  if (code === undefined || !/^\d+$/.test(code)) return { state: 'failed' }
  if (code !== '0' && !validExitCodes.includes(code)) return { state: 'done', unkept: `its exit code was ${code}` }
  const [stdout, stderr] = streams.map((name) => printed(join(folder, name)))
  if (stdout === undefined || stderr === undefined)
    return { state: 'done', unkept: 'it printed what is not kept: more than 1 MiB, or bytes that are no UTF-8' }
  return { state: 'done', output: { stdout: redact(stdout), stderr: redact(stderr), exitCode: Number(code) } }
}

function printed(path: string): string | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? outputLimit + 1
  if (size > outputLimit || !contentOf(`${path}.whole`)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(contentOf(path))
  } catch {
    return undefined
  }
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

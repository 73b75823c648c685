import type { Ask } from '../runlabel/ask.js'
import type { Verdict } from '../runlabel/policy.js'
import { pasteable } from '../runlabel/show.js'
import { openStore } from '../store/store.js'
import { becomeOnHost } from './become-on-host.js'
import { consent } from './runlabel/consent.js'
import type { RunlabelOptions } from './runlabel/options.js'
import { planRunlabel, type RunlabelPlan } from './runlabel/plan.js'

export type { RunlabelOptions }

/** What a label's command is, and what became of it. */
export interface RunlabelResult {
  /** The label's name as the image spells it. */
  readonly label: string
  /** What it says, as it is written. */
  readonly text: string
  readonly image: { readonly name: string; readonly id: string; readonly digest: string }
  /** Who executes it; `program` for a program of the machine that the label names. */
  readonly engine: 'builder' | 'podman' | 'docker' | 'program'
  readonly argv: readonly string[]
  /** Variables that the command finds beside the caller's own. */
  readonly environment: Readonly<Record<string, string>>
  readonly asks: readonly Ask[]
  /** What the policy says to it, and where. */
  readonly decision: { readonly verdict: Verdict; readonly reason: string }
  readonly executed: boolean
  /** The command's exit code, when it was executed; 128 + the signal's number when a signal ended it. */
  readonly exitCode?: number
}

/**
 * Executes the command that an image carries in a label.
 *
 * With one word it is the image's label run; with more the first is the label, in any case of letters. The label's text is split into
 * words as a shell does it, but no shell reads it; then IMAGE, NAME, OPT1 to OPT3 and others get their values, and each word stays one
 * word. A line for podman or docker is carried out by builder itself, or by `--engine`.
 *
 * The command is somebody else's: what it asks for is shown first, and it runs only with --yes, a y at the terminal, or where
 * runlabel.json allows it. The image that was judged is the one that runs. The decision is written into the journal, or into
 * runlabel.log in the store's folder.
 *
 * Throws `NOT_FOUND` for an unknown image or label, `INVALID` and `UNSUPPORTED` for a line that cannot be carried out, `UNSAFE` for a
 * value that would become a flag, `DENIED` when nobody allows it.
 *
 * @verb
 * @where outside
 * @stdout What the command prints; with --display the command, with --dry-run JSON.
 * @param label - Name of the label. Default: run.
 * @param image - Name or ID of the image.
 * @param args - Words to put behind the label's own; behind `--` where they begin with a dash.
 * @example
 * ```sh
 * builder runlabel --display install quay.io/example/web
 * ```
 * @example
 * ```ts
 * import { runlabel } from 'builder-sdk'
 * const { asks } = await runlabel('install', 'quay.io/example/web', [], { dryRun: 'json' })
 * for (const { text } of asks) console.log(text)
 * ```
 */
export async function runlabel(
  label: string | undefined,
  image: string,
  args: readonly string[] = [],
  options: RunlabelOptions = {},
): Promise<RunlabelResult> {
  // On the command line the label may be left out: a single word is the image.
  const isShort = image === undefined
  const [wanted, name] = isShort ? ['run', label ?? ''] : [label ?? 'run', image]
  const store = await openStore(options)
  const plan = await planRunlabel(store, wanted, name, args, options)
  if (options.display || options.dryRun) return { ...told(plan), executed: false }
  await consent(store, plan, options)
  const env = { ...process.env, ...plan.environment }
  return { ...told(plan), executed: true, exitCode: await becomeOnHost('runlabel', { argv: plan.argv, env }) }
}

/** What the shell door prints. */
export function present(result: RunlabelResult, options: RunlabelOptions): string {
  if (options.dryRun) return JSON.stringify(result, null, 2)
  return options.display ? pasteable(result.argv) : ''
}

function told({ label, text, image, engine, argv, environment, asks, verdict, reason }: RunlabelPlan) {
  const { name, image: found } = image
  return {
    ...{ label, text, image: { name, id: found.id, digest: found.manifestDigest } },
    ...{ engine, argv, environment, asks, decision: { verdict, reason } },
  }
}

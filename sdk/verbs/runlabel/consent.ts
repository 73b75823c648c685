import { BuilderError } from '../../errors.js'
import { caller } from '../../namespace/caller.js'
import { type Decision, logDecision } from '../../runlabel/decision-log.js'
import { onOneLine, visible } from '../../runlabel/show.js'
import { loginUid } from '../../runlabel/values.js'
import type { Store } from '../../store/store.js'
import { ask, canAsk } from '../ask.js'
import type { RunlabelOptions } from './options.js'
import type { RunlabelPlan } from './plan.js'

/**
 * Shows what a label's command asks for, has it allowed, and writes the decision down. Throws `DENIED` when nobody allows it, and
 * `SYSTEM` when the decision cannot be written down.
 */
export async function consent(store: Store, plan: RunlabelPlan, options: RunlabelOptions): Promise<void> {
  caller().say(describe(plan))
  const place = { folder: store.root, ...(plan.policy?.log === undefined ? {} : { named: plan.policy.log }) }
  const { allowed, why, hint } = await decided(plan, options)
  const decision = decisionOf(plan, allowed ? 'executed' : 'refused', why)
  if (allowed) return logDecision(decision, place)
  await logDecision(decision, place).catch(({ message }) => caller().say(`builder: warning: ${message}\n`))
  throw new BuilderError('DENIED', {
    operation: 'runlabel',
    object: `label ${visible(plan.label)} of ${plan.image.name}`,
    reason: `nothing is executed: ${why}`,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** What would be executed, and what it asks for, a line each. Nothing in it can move the terminal's cursor. */
function describe({ label, image, argv, asks }: RunlabelPlan): string {
  const lines = asks.length === 0 ? ['nothing but a container of its own'] : asks.map(({ text }) => visible(text))
  return [
    `builder: label ${visible(label)} of ${image.name} (${image.image.manifestDigest}) is this command:\n`,
    `  ${onOneLine(argv)}\n`,
    'It asks for:\n',
    ...lines.map((line) => `  - ${line}\n`),
  ].join('')
}

interface Answer {
  readonly allowed: boolean
  readonly why: string
  readonly hint?: string
}

async function decided({ verdict, reason }: RunlabelPlan, { yes, signal }: RunlabelOptions): Promise<Answer> {
  if (verdict === 'deny') return { allowed: false, why: `the policy forbids it (${reason})` }
  if (verdict === 'allow') return { allowed: true, why: `the policy allows it (${reason})` }
  if (yes) return { allowed: true, why: '--yes' }
  const hint = 'look at what it asks for, and give --yes, or allow it in runlabel.json'
  // What is asked for has to be seen by whoever answers.
  if (caller().columns === undefined || !canAsk())
    return { allowed: false, why: 'there is no terminal to ask at', hint }
  const answer = await ask('Execute it? [y/N] ', { isConsent: true, operation: 'runlabel', signal })
  if (/^\s*y(es)?\s*$/i.test(answer)) return { allowed: true, why: 'y at the terminal' }
  return { allowed: false, why: 'the answer was not y' }
}

function decisionOf(plan: RunlabelPlan, verdict: Decision['verdict'], why: string): Decision {
  const { SUDO_UID: sudoUid, SUDO_USER: sudoUser } = process.env
  const login = loginUid(caller().process?.pid)
  return {
    ...{ time: Date.now(), verdict, why },
    ...(login === undefined ? {} : { loginuid: login }),
    uid: process.getuid?.() ?? 0,
    ...(sudoUid === undefined ? {} : { sudoUid }),
    ...(sudoUser === undefined ? {} : { sudoUser }),
    image: plan.image.name,
    digest: plan.image.image.manifestDigest,
    ...{ label: plan.label, engine: plan.engine, argv: plan.argv, cwd: process.cwd() },
    asks: plan.asks.map(({ kind, object }) => (object === undefined ? kind : `${kind}:${object}`)),
  }
}

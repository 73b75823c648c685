import { canonicalJson } from '../image/config.js'
import type { Digest } from '../image/digest.js'
import { listKeptSteps } from '../store/kept-steps.js'
import type { Store } from '../store/store.js'
import { keptForm } from './kept-form.js'
import type { StepRecord } from './record.js'
import type { Step, StepExplanation, StepInput } from './step.js'

/** Says why a step is not in the cache: the first thing that differs from the nearest step that is. */
export function explainMiss(store: Store, step: Step, key: Digest): StepExplanation {
  const asked = keptForm(step)
  const nearest = nearestStep(store, asked)
  if (!nearest) return { state: 'miss', key, reason: 'nothing like it is kept' }
  const differs = firstDifference(nearest, asked)
  if (differs) return { state: 'miss', key, differs, reason: `${differs.input} changed` }
  return { state: 'miss', key, reason: 'what it made is not in the store any more' }
}

/** An explanation as a line shows it: `cached`, `executed: sources changed: was …, is …`. */
export function explanationText(explanation: StepExplanation): string {
  if (explanation.state === 'hit') return explanation.from ? `cached, from ${explanation.from}` : 'cached'
  const { differs, reason } = explanation
  if (!differs) return `executed: ${reason}`
  if (differs.input === 'parent') return 'executed: what it stands on changed'
  return `executed: ${differs.input} changed: was ${differs.was}, is ${differs.is}`
}

/** The one that shares most with it, the last used when several do; none when it is of something else altogether. */
function nearestStep(store: Store, asked: Step): Step | undefined {
  let best: { readonly step: Step; readonly score: number } | undefined
  const kept = listKeptSteps(store).sort((a, b) => b.used - a.used)
  for (const { step: record } of kept) {
    const { step } = record as Partial<StepRecord>
    if (step?.verb !== asked.verb || typeof step.inputs !== 'object' || step.inputs === null) continue
    const score = likeness(step, asked)
    if (score > (best?.score ?? 0)) best = { step, score }
  }
  return best?.step
}

/** 0 when neither what it does nor what it stands on is the same. */
function likeness(step: Step, asked: Step): number {
  const same = (name: string) => name in asked.inputs && isSame(step.inputs[name], asked.inputs[name])
  const does = ['command', 'destination'].some(same)
  const stands = step.parent === asked.parent
  if (!does && !stands) return 0
  const others = Object.keys(asked.inputs).filter(same).length
  return (does ? 200 : 0) + (stands ? 100 : 0) + others
}

/** What the author wrote comes first; then what was read, and last what the step stands on. */
function firstDifference(kept: Step, asked: Step) {
  const names = [...new Set([...first, ...Object.keys(asked.inputs).sort(), ...Object.keys(kept.inputs).sort()])]
  const input = names.find((name) => !isSame(kept.inputs[name], asked.inputs[name]))
  if (input !== undefined) return { input, ...wasAndIs(kept.inputs[input], asked.inputs[input]) }
  return kept.parent === asked.parent
    ? undefined
    : { input: 'parent', was: short(kept.parent), is: short(asked.parent) }
}

const first = ['command', 'destination', 'sources']

function wasAndIs(was: StepInput | undefined, is: StepInput | undefined): { was: string; is: string } {
  const [before, now] = [shown(was), shown(is)]
  if (isObject(was) && isObject(is)) {
    const name = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort().find((it) => !isSame(was[it], is[it]))
    if (name !== undefined) return { was: `${name}=${shown(was[name])}`, is: `${name}=${shown(is[name])}` }
  }
  return { was: before, is: now }
}

function isObject(value: StepInput | undefined): value is { readonly [key: string]: StepInput } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSame(a: StepInput | undefined, b: StepInput | undefined): boolean {
  return canonicalJson([a ?? null]) === canonicalJson([b ?? null])
}

function shown(value: StepInput | undefined): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return short(value)
  if (Array.isArray(value) && value.every((it) => typeof it === 'string')) return short(value.join(' '))
  return short(canonicalJson(value))
}

function short(text: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text.slice(0, 19)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

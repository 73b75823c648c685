import { digestOf } from '../image/digest.js'
import type { Step, StepInput } from './step.js'

/**
 * A step as its file keeps it, to be compared with a later one: of variables only a digest of the value, for a cache is no
 * place for what somebody put into one; long texts cut off, with their digest.
 */
export function keptForm(step: Step): Step {
  const inputs = Object.entries(step.inputs).map(([name, value]) => [
    name,
    variables.has(name) ? hidden(value) : shortened(value),
  ])
  return { ...step, inputs: Object.fromEntries(inputs) }
}

/** Inputs that are names with values. */
const variables: ReadonlySet<string> = new Set(['env', 'args', 'buildArgs'])

function hidden(value: StepInput): StepInput {
  if (typeof value === 'string') return mark(value)
  if (Array.isArray(value)) return Object.fromEntries(value.map((entry) => pairOf(String(entry))))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mark(String(one))]))
}

function pairOf(entry: string): [string, string] {
  const equals = entry.indexOf('=')
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), mark(entry.slice(equals + 1))]
}

function mark(value: string): string {
  return `(${digestOf(value).slice(0, 15)})`
}

function shortened(value: StepInput): StepInput {
  if (typeof value === 'string')
    return value.length > textLimit ? `${value.slice(0, textLimit)}… (${digestOf(value).slice(0, 15)})` : value
  if (Array.isArray(value)) return value.map(shortened)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shortened(one)]))
}

const textLimit = 4096

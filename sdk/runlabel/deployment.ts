import { posix } from 'node:path'
import { BuilderError } from '../errors.js'
import type { ExecutionConfig } from '../image/config.js'
import { readEngineLine } from './engine-line.js'
import { findLabel } from './find-label.js'
import type { RunFlags } from './run-flags.js'
import { isRunLine, parseRunLine } from './run-line.js'
import { visible } from './show.js'
import { substitute } from './substitute.js'
import { nameFor, superPrivileged } from './super-privileged.js'
import { labelValues } from './values.js'
import { splitLabel } from './words.js'

/** How an image is to be run by somebody else: systemd, or Kubernetes. */
export interface Deployment {
  /** Full name of the image. */
  readonly image: string
  /** Name of the container, and of the unit. */
  readonly name: string
  readonly options: Readonly<RunFlags>
  /** Flags of podman's that builder itself does not know how to honour, as `--publish=80:80`. */
  readonly others: readonly string[]
  /** Words behind the image. */
  readonly command: readonly string[]
  readonly config: ExecutionConfig
  /** The label it was read from, as the image spells it. */
  readonly label?: string
}

/** What a deployment is made from. */
export interface DeploymentSources {
  readonly image: string
  readonly config: ExecutionConfig
  /** A label's name. Default: `run`, where there is one. */
  readonly label?: string
  readonly name?: string
  /** The caller's variables, folder and home, for a label that uses them. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
}

/**
 * Reads how an image is to be run from its label and its configuration. Throws `NOT_FOUND` for a label that is not there, `INVALID` for
 * one that is no `run` line, and what reading it throws.
 */
export function readDeployment(sources: DeploymentSources): Deployment {
  const { image, config, label: wanted } = sources
  const labels = config.Labels ?? {}
  const hasRun = Object.keys(labels).some((name) => name.toLowerCase() === 'run')
  const base = { image, name: sources.name ?? nameFor(image), config }
  if (wanted === undefined && !hasRun) {
    checkedName(base.name)
    return { ...base, options: {}, others: [], command: [] }
  }
  const { name: label, text } = findLabel(labels, wanted ?? 'run', image)
  const values = labelValues({ ...sources, name: base.name, options: [] })
  const words = substitute(splitLabel(text), values).map((word) => word.text)
  if (!isRunLine(words)) throw noRunLine(label, words[0] ?? '')
  const isOwn = posix.basename(words[0] ?? '') === 'builder'
  const { line, others } = isOwn ? { line: parseRunLine(words), others: [] } : readEngineLine(words)
  if (line.image !== image) throw otherImage(label, line.image)
  const options = superPrivileged(image, line.options)
  const name = checkedName(sources.name ?? options.name ?? base.name)
  return { ...base, name, options, others, command: line.command, label }
}

/** It becomes the name of a file. */
function checkedName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(name)) return name
  throw new BuilderError('INVALID', {
    operation: 'generate',
    object: JSON.stringify(visible(name)),
    reason: 'it is not a container name',
    hint: 'use letters, digits and . _ - (at most 128, a letter or a digit first)',
  })
}

function noRunLine(label: string, program: string): BuilderError {
  return new BuilderError('INVALID', {
    operation: 'generate',
    object: `label ${visible(label)}`,
    reason: `it is a command of ${visible(program)}, and does not run the image`,
    hint: 'name a label that begins with podman run',
  })
}

function otherImage(label: string, image: string): BuilderError {
  return new BuilderError('INVALID', {
    operation: 'generate',
    object: `label ${visible(label)}`,
    reason: `it runs another image: ${visible(image)}`,
    hint: 'write IMAGE into the label where the name of the image belongs',
  })
}

import { BuilderError } from '../../errors.js'
import { pair } from '../../image/edit.js'
import { caller } from '../../namespace/caller.js'
import { checkLabel } from '../../runlabel/check-label.js'
import type { ContainerRecord } from '../../store/containers.js'

/** What is asked of a container's labels. */
interface LabelEdits {
  readonly runlabel?: readonly string[]
  readonly label?: readonly string[]
  readonly unsetlabel?: readonly string[]
}

/** The edits with each run label as a label, and those that it takes the place of taken away. Throws `INVALID`, `USAGE`. */
export function runLabelEdits(
  { config }: ContainerRecord,
  { runlabel = [], label = [], unsetlabel = [] }: LabelEdits,
): Required<Pick<LabelEdits, 'label' | 'unsetlabel'>> {
  const names = runlabel.map(checked)
  const isReplaced = (name: string) =>
    names.some((one) => one !== name && one.toLowerCase() === name.toLowerCase()) && !names.includes(name)
  const replaced = Object.keys(config.config?.Labels ?? {}).filter(isReplaced)
  return { label: [...label, ...runlabel], unsetlabel: [...unsetlabel, ...replaced] }
}

function checked(one: string): string {
  const [name, text] = pair(one)
  if (!one.includes('=')) throw noCommand(one)
  const { others } = checkLabel(name, text)
  if (others.length > 0)
    caller().say(
      `builder: warning: label ${name}: builder itself cannot honour ${others.join(' ')}; it takes --engine podman to carry it out\n`,
    )
  return name
}

function noCommand(object: string): BuilderError {
  const hint = "write --runlabel NAME='podman run … IMAGE'"
  return new BuilderError('USAGE', { operation: 'config --runlabel', object, reason: 'it has no command', hint })
}

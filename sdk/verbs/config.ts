import { BuilderError } from '../errors.js'
import type { History, ImageConfig } from '../image/config.js'
import { editConfig, pair } from '../image/edit.js'
import { type ContainerRecord, findContainer, updateContainer } from '../store/containers.js'
import { openStore } from '../store/store.js'
import { tellConfig } from './config-text.js'
import { epochOf } from './epoch.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link config}. */
export interface ConfigOptions extends GlobalOptions {
  /**
   * Environment variable: NAME=value (with `$NAME` taken from the container's own), NAME (taken from here), NAME- (removed).
   * @short e
   * @placeholder NAME=VALUE
   */
  env?: readonly string[]
  /** Replace `$NAME` in the values of --env, or leave it with --no-expand. @negatable */
  expand?: boolean
  /**
   * Label of the image.
   * @short l
   * @placeholder NAME=VALUE
   */
  label?: readonly string[]
  /**
   * Label that is a command, checked: its quotes, its flags, and that it runs IMAGE. It takes the place of one of the same name in any
   * case of letters.
   * @placeholder NAME=COMMAND
   */
  runlabel?: readonly string[]
  /**
   * Remove a label.
   * @placeholder NAME
   */
  unsetlabel?: readonly string[]
  /**
   * Annotation of the image's manifest; NAME- removes one.
   * @short a
   * @placeholder NAME=VALUE
   */
  annotation?: readonly string[]
  /**
   * Remove an annotation.
   * @placeholder NAME
   */
  unsetannotation?: readonly string[]
  /**
   * Entry point: a JSON list of words, or a line for /bin/sh -c. A list of words in TypeScript.
   * @placeholder COMMAND
   */
  entrypoint?: string | readonly string[]
  /**
   * Default command: a JSON list, or a line split into words as a shell does. A list of words in TypeScript.
   * @placeholder COMMAND
   */
  cmd?: string | readonly string[]
  /**
   * Port that containers listen on, as 80, 53/udp; 80- removes one.
   * @short p
   * @placeholder PORT
   */
  port?: readonly string[]
  /**
   * Folder that holds data of its own; PATH- removes one.
   * @short v
   * @placeholder PATH
   */
  volume?: readonly string[]
  /**
   * User that commands run as, as name or number, with :group if wanted.
   * @short u
   * @placeholder USER[:GROUP]
   */
  user?: string
  /**
   * Folder that commands start in.
   * @placeholder PATH
   */
  workingdir?: string
  /**
   * Shell for commands given as a line. A list of words in TypeScript.
   * @placeholder COMMAND
   */
  shell?: string | readonly string[]
  /**
   * Signal that asks the container to stop.
   * @placeholder SIGNAL
   */
  stopSignal?: string
  /**
   * Command that tells whether a container is well: a line, a JSON list, or NONE.
   * @placeholder COMMAND
   */
  healthcheck?: string
  /**
   * Time between two health checks.
   * @placeholder DURATION
   */
  healthcheckInterval?: string
  /**
   * Time after which a health check counts as failed.
   * @placeholder DURATION
   */
  healthcheckTimeout?: string
  /**
   * Time in which a starting container's failed checks do not count.
   * @placeholder DURATION
   */
  healthcheckStartPeriod?: string
  /**
   * Time between two health checks while a container starts.
   * @placeholder DURATION
   */
  healthcheckStartInterval?: string
  /**
   * Failed checks in a row that make a container unwell.
   * @placeholder NUMBER
   */
  healthcheckRetries?: number
  /**
   * Instruction for builds on top of this image.
   * @placeholder INSTRUCTION
   */
  onbuild?: readonly string[]
  /**
   * Architecture of the image.
   * @placeholder ARCH
   */
  arch?: string
  /**
   * Operating system of the image.
   * @placeholder OS
   */
  os?: string
  /**
   * Variant of the architecture.
   * @placeholder VARIANT
   */
  variant?: string
  /**
   * Version of the operating system that the image needs.
   * @placeholder VERSION
   */
  osVersion?: string
  /**
   * Feature of the operating system that the image needs; NAME- removes one.
   * @placeholder NAME
   */
  osFeature?: readonly string[]
  /**
   * Who made the image.
   * @placeholder TEXT
   */
  author?: string
  /**
   * Comment for the image's newest history entry.
   * @placeholder TEXT
   */
  comment?: string
  /**
   * What made the image, for its newest history entry.
   * @placeholder TEXT
   */
  createdBy?: string
  /**
   * Comment for the image's newest history entry.
   * @placeholder TEXT
   */
  historyComment?: string
  /** Add an entry for this change to the image's history. */
  addHistory?: boolean
  /**
   * Argument of the build, for the image's history alone, where every verb is told (from --history).
   * @placeholder NAME[=VALUE]
   */
  arg?: readonly string[]
}

/**
 * Changes what the image will say of itself: command, environment, labels and the rest.
 *
 * Nothing is started and nothing is mounted; the change is part of the next commit.
 *
 * Throws `NOT_FOUND` for an unknown container, `USAGE` for a value of the wrong form, `INVALID` for a run label that is not correct.
 *
 * @verb
 * @where outside
 * @offline
 * @param container - Name or ID of a container.
 * @example
 * ```sh
 * builder config --cmd 'nginx -g "daemon off;"' --port 80 --env TZ=UTC "$c"
 * ```
 * @example
 * ```ts
 * import { from } from 'builder-sdk'
 * const c = await from('scratch')
 * await c.config({ cmd: ['/web'], port: ['80'], label: ['role=web'] })
 * ```
 */
export async function config(container: string, options: ConfigOptions = {}): Promise<void> {
  const store = await openStore(options)
  const { id } = await findContainer(store, container, 'config')
  const labels = options.runlabel ? (await import('./runlabel/config.js')).runLabelEdits : undefined
  await updateContainer(store, id, (record) => edit(record, { ...options, ...labels?.(record, options) }))
}

function edit(record: ContainerRecord, options: ConfigOptions): ContainerRecord {
  const { createdBy, comment = options.historyComment } = options
  const next = { ...record.next, ...(createdBy === undefined ? {} : { createdBy }), ...(comment ? { comment } : {}) }
  const config = editConfig(record.config, options)
  const entries = entriesOf(record, config, options)
  const history = entries.length > 0 ? [...(record.history ?? []), ...entries] : record.history
  return {
    ...record,
    config,
    annotations: editAnnotations(record.annotations, options),
    next,
    ...(history ? { history } : {}),
  }
}

/** What the image's history says of it: on request, or where every verb is told. */
function entriesOf({ steps }: ContainerRecord, config: ImageConfig, options: ConfigOptions): readonly History[] {
  if (!steps?.history) return options.addHistory ? [{ created_by: describe(options) }] : []
  const epoch = epochOf({}, 'config')
  const created = new Date(epoch === undefined ? Date.now() : epoch * 1000).toISOString().replace('.000Z', 'Z')
  return tellConfig(config, options).map((said) => ({ created, created_by: `/bin/sh -c #(nop) ${said}` }))
}

function editAnnotations(annotations: Readonly<Record<string, string>>, options: ConfigOptions) {
  const result: Record<string, string> = { ...annotations }
  for (const name of options.unsetannotation ?? []) delete result[name]
  for (const annotation of options.annotation ?? []) {
    const [name, value] = pair(annotation)
    if (name === '' || name === '-') throw noName(annotation)
    if (!annotation.includes('=') && name.endsWith('-')) delete result[name.slice(0, -1)]
    else result[name] = value
  }
  return result
}

const describedAs = ['cmd', 'entrypoint', 'env', 'label', 'port', 'user', 'volume', 'workingdir'] as const

/** The change in the words of a Containerfile, as buildah writes it into the history. */
function describe(options: ConfigOptions): string {
  const said = describedAs.flatMap((name) => {
    const value = options[name]
    if (value === undefined) return []
    const word = { port: 'EXPOSE', workingdir: 'WORKDIR' }[name as string] ?? name.toUpperCase()
    return [`${word} ${Array.isArray(value) ? value.join(' ') : value}`]
  })
  return `/bin/sh -c #(nop) ${said.join('; ')}`
}

function noName(annotation: string): BuilderError {
  return new BuilderError('USAGE', {
    operation: 'config --annotation',
    object: JSON.stringify(annotation),
    reason: 'it has no name',
    hint: 'write NAME=value',
  })
}

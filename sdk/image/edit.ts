import { BuilderError } from '../errors.js'
import type { ExecutionConfig, Healthcheck, ImageConfig } from './config.js'
import { splitWords } from './words.js'

/** Changes to an image's configuration, in the words of `builder config`. */
export interface ConfigEdits {
  readonly env?: readonly string[]
  /** False: `$NAME` in a value of `env` is text. */
  readonly expand?: boolean
  readonly label?: readonly string[]
  readonly unsetlabel?: readonly string[]
  readonly entrypoint?: string | readonly string[]
  readonly cmd?: string | readonly string[]
  readonly port?: readonly string[]
  readonly volume?: readonly string[]
  readonly user?: string
  readonly workingdir?: string
  readonly shell?: string | readonly string[]
  readonly stopSignal?: string
  readonly healthcheck?: string
  readonly healthcheckInterval?: string
  readonly healthcheckTimeout?: string
  readonly healthcheckStartPeriod?: string
  readonly healthcheckStartInterval?: string
  readonly healthcheckRetries?: number
  readonly onbuild?: readonly string[]
  readonly arch?: string
  readonly os?: string
  readonly variant?: string
  readonly osVersion?: string
  readonly osFeature?: readonly string[]
  readonly author?: string
}

/**
 * Applies edits to a configuration and gives the new one; what is not named stays. Field meanings: OCI image-spec,
 * config.md. Rules of the words (a trailing `-` removes, `$NAME` in an env value is the container's own) are buildah's.
 * Throws `USAGE`.
 */
export function editConfig(image: ImageConfig, edits: ConfigEdits): ImageConfig {
  const edited: ImageConfig = {
    ...image,
    ...given('architecture', edits.arch),
    ...given('os', edits.os),
    ...given('variant', edits.variant),
    ...given('os.version', edits.osVersion),
    ...given('author', edits.author),
    config: editExecution(image.config ?? {}, edits),
  }
  if (!edits.osFeature) return edited
  return { ...edited, 'os.features': editList(edited['os.features'] ?? [], edits.osFeature) }
}

function editExecution(config: ExecutionConfig, edits: ConfigEdits): ExecutionConfig {
  const commands = editCommands(edits)
  const changed: Record<string, unknown> = {
    ...config,
    ...commands,
    ...given('User', edits.user),
    ...given('WorkingDir', edits.workingdir),
    ...given('StopSignal', edits.stopSignal),
    ...given('Shell', edits.shell === undefined ? undefined : words(edits.shell)),
    ...given('Env', edits.env && editEnv(config.Env ?? [], edits.env, edits.expand ?? true)),
    ...given('Labels', (edits.label || edits.unsetlabel) && editLabels(config.Labels ?? {}, edits)),
    ...given(
      'ExposedPorts',
      edits.port && editSet(config.ExposedPorts, edits.port.flatMap((list) => list.split(',')).map(checkPort)),
    ),
    ...given('Volumes', edits.volume && editSet(config.Volumes, edits.volume)),
    ...given('OnBuild', edits.onbuild && [...(config.OnBuild ?? []), ...edits.onbuild]),
    ...given('Healthcheck', editHealthcheck(config.Healthcheck, edits)),
  }
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => !isEmpty(value)))
}

function editCommands(edits: ConfigEdits): Partial<ExecutionConfig> {
  const entrypoint = edits.entrypoint === undefined ? undefined : entrypointWords(edits.entrypoint)
  return {
    ...given('Entrypoint', entrypoint),
    ...given('Cmd', edits.cmd === undefined ? undefined : words(edits.cmd)),
  }
}

/** A string that is no JSON list is a shell's command line (buildah-config(1), --entrypoint). */
function entrypointWords(entrypoint: string | readonly string[]): readonly string[] {
  if (typeof entrypoint !== 'string') return entrypoint
  if (entrypoint.trim() === '') return []
  return jsonList(entrypoint) ?? ['/bin/sh', '-c', entrypoint]
}

function words(command: string | readonly string[]): readonly string[] {
  if (typeof command !== 'string') return command
  return jsonList(command) ?? splitWords(command)
}

function jsonList(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list) && list.every((word) => typeof word === 'string')) return list
  } catch {
    // Not JSON: the caller's rule for plain text applies.
  }
  return undefined
}

function editEnv(env: readonly string[], edits: readonly string[], expands: boolean): readonly string[] {
  const variables = new Map(env.map((entry) => [entry.split('=', 1)[0] as string, entry.slice(entry.indexOf('=') + 1)]))
  for (const edit of edits) {
    const at = edit.indexOf('=')
    const name = at < 0 ? edit.replace(/-$/, '') : edit.slice(0, at)
    if (name === '')
      throw usage('env', edit, 'it has no name', 'write NAME=value, NAME (taken from here) or NAME- (removed)')
    if (at < 0 && edit.endsWith('-')) variables.delete(name)
    else if (at < 0) variables.set(name, process.env[name] ?? '')
    else variables.set(name, expands ? expand(edit.slice(at + 1), variables) : edit.slice(at + 1))
  }
  return [...variables].map(([name, value]) => `${name}=${value}`)
}

function expand(value: string, variables: ReadonlyMap<string, string>): string {
  return value.replace(
    /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g,
    (_, braced, bare) => variables.get(braced ?? bare) ?? '',
  )
}

function editLabels(labels: Readonly<Record<string, string>>, edits: ConfigEdits): Readonly<Record<string, string>> {
  const result: Record<string, string> = { ...labels }
  for (const name of edits.unsetlabel ?? []) delete result[name]
  for (const label of edits.label ?? []) {
    const [name, value] = pair(label)
    if (!label.includes('=') && name.length > 1 && name.endsWith('-')) {
      delete result[name.slice(0, -1)]
      continue
    }
    if (name === '') throw usage('label', label, 'it has no name', 'write NAME=value')
    result[name] = value
  }
  return result
}

/** `name=value` taken apart at the first `=`; no `=` means an empty value. */
export function pair(text: string): [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function editSet(set: Readonly<Record<string, Record<string, never>>> | undefined, edits: readonly string[]) {
  const names = editList(Object.keys(set ?? {}), edits)
  return Object.fromEntries(names.map((name) => [name, {}]))
}

function editList(list: readonly string[], edits: readonly string[]): readonly string[] {
  const result = new Set(list)
  for (const edit of edits) {
    if (edit.endsWith('-')) result.delete(edit.slice(0, -1))
    else result.add(edit)
  }
  return [...result]
}

/** Source: OCI image-spec, config.md, `ExposedPorts`: `port`, `port/tcp`, `port/udp`; ranges as Docker's EXPOSE takes them. */
function checkPort(port: string): string {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(?:tcp|udp|sctp))?-?$/.exec(port)
  const numbers = [match?.[1], match?.[2]].filter((n) => n !== undefined).map(Number)
  if (match && numbers.every((n) => n > 0 && n < 65536)) return port
  throw usage('port', port, 'it is not a port', 'write for example 8080, 53/udp, or 8080- to remove it')
}

function editHealthcheck(check: Healthcheck | undefined, edits: ConfigEdits): Healthcheck | undefined {
  const changed: Record<string, unknown> = {
    ...check,
    ...given('Test', edits.healthcheck === undefined ? undefined : healthTest(edits.healthcheck)),
    ...given('Interval', duration('healthcheck-interval', edits.healthcheckInterval)),
    ...given('Timeout', duration('healthcheck-timeout', edits.healthcheckTimeout)),
    ...given('StartPeriod', duration('healthcheck-start-period', edits.healthcheckStartPeriod)),
    ...given('StartInterval', duration('healthcheck-start-interval', edits.healthcheckStartInterval)),
    ...given('Retries', edits.healthcheckRetries),
  }
  return Object.keys(changed).length === 0 ? undefined : changed
}

function healthTest(test: string): readonly string[] {
  const list = jsonList(test)
  if (list) return ['CMD', 'CMD-SHELL', 'NONE'].includes(list[0] ?? '') ? list : ['CMD', ...list]
  const [first = '', ...rest] = splitWords(test)
  if (first === 'NONE') return ['NONE']
  if (first === 'CMD') return ['CMD', ...rest]
  return ['CMD-SHELL', test.replace(/^\s*CMD-SHELL\s+/, '')]
}

/** Go's duration syntax (`1h2m3.5s`, `300ms`) in nanoseconds. */
function duration(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)]
  if (text === '' || parts.map((part) => part[0]).join('') !== text)
    throw usage(flag, text, 'it is not a duration', 'write for example 30s, 1m30s or 500ms')
  return parts.reduce(
    (sum, [, number, unit]) => sum + Math.round(Number(number) * (units[unit as string] as number)),
    0,
  )
}

const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>)
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '') return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function usage(flag: string, value: string, reason: string, hint: string): BuilderError {
  return new BuilderError('USAGE', { operation: `config --${flag}`, object: JSON.stringify(value), reason, hint })
}

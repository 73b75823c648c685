import { BuilderError } from '../errors.js'
import type { Deployment } from './deployment.js'
import { runFlags } from './run-flags.js'
import { visible } from './show.js'

/** A unit as lines of `Key=value`, a list a section. */
type Section = readonly (readonly [key: string, value: string, plain?: string])[]

/**
 * A `.container` unit of systemd's, which podman 4.4 and newer makes a service of. Keys as podman-systemd.unit(5) has them, quoted as
 * systemd.syntax(7) reads them; `%` and `$` stand for themselves. What has no key there is `PodmanArgs`.
 *
 * Throws `UNSUPPORTED` for a value that no unit can hold, and for what only makes sense beside a caller.
 */
export function quadletUnit(deployment: Deployment): string {
  const { name, image, label } = deployment
  const from = label === undefined ? image : `${image}, label ${visible(label)}`
  const { container, restart } = containerSection(deployment)
  return [
    `# ${visible(name)}.container, from ${visible(from)}`,
    section('Unit', [['Description', escaped(`${name} (${image})`)]]),
    section('Container', container),
    section('Service', [['Restart', restart]]),
    section('Install', [['WantedBy', 'multi-user.target default.target']]),
  ].join('\n')
}

/** The service that podman makes of it, in essence: what systemd itself can check. */
export function serviceUnit(deployment: Deployment, podman: string): string {
  const { container, restart } = containerSection(deployment)
  const words = container.flatMap(([key, value, plain]) => {
    if (key === 'Image' || key === 'Exec') return []
    return [key === 'PodmanArgs' ? value : word(`--${key.toLowerCase()}=${plain ?? value}`)]
  })
  const value = (wanted: string) => container.find(([key]) => key === wanted)?.[1] ?? ''
  const start = [podman, 'run', '--rm', ...words, value('Image'), value('Exec')].filter(Boolean).join(' ')
  return [
    section('Unit', [['Description', escaped(deployment.name)]]),
    section('Service', [
      ['ExecStart', start],
      ['Restart', restart],
    ]),
  ].join('\n')
}

function containerSection({ image, name, options, others, command }: Deployment): {
  container: Section
  restart: string
} {
  for (const text of options.env ?? [])
    if (!text.includes('='))
      throw impossible(`--env ${text}`, 'a service has no caller to take it from', `write --env ${text}=VALUE`)
  const { passed, ports, restart } = othersOf(others)
  const list = (key: string, values: readonly string[] = []) =>
    values.map((value) => [key, word(value), value] as const)
  const lines = (key: string, values: readonly string[] = []) =>
    values.map((value) => [key, whole(key, value), value] as const)
  const networks: Readonly<Record<string, string>> = { host: 'host', none: 'none', bridge: 'bridge' }
  const network = options.network === undefined ? undefined : networks[options.network]
  return {
    restart,
    container: [
      ['Image', whole('Image', image)],
      ['ContainerName', whole('ContainerName', name)],
      ...(command.length > 0 ? [['Exec', command.map(word).join(' ')] as const] : []),
      ...lines('Volume', options.volume),
      ...list('Environment', options.env),
      ...list('EnvironmentFile', options.envFile),
      ...(network ? [['Network', network] as const] : []),
      ...lines('PublishPort', ports),
      ...list(
        'AddCapability',
        options.capAdd?.flatMap((text) => text.split(',')),
      ),
      ...list(
        'DropCapability',
        options.capDrop?.flatMap((text) => text.split(',')),
      ),
      ...list('AddDevice', options.device),
      ...(options.readOnly ? [['ReadOnly', 'true'] as const] : []),
      ...list('Label', options.label),
      ...[...ownArguments(options), ...passed].map((value) => ['PodmanArgs', word(value)] as const),
    ],
  }
}

/** What the unit says in keys of its own, or does by itself: a service is always detached, removed and replaced. */
const keyed = new Set(
  'detach rm replace name volume env envFile network capAdd capDrop device readOnly label spc'.split(' '),
)

function ownArguments(options: Deployment['options']): readonly string[] {
  return runFlags
    .filter(({ key }) => !keyed.has(key))
    .flatMap(({ name, key }) => {
      const value = options[key]
      if (value === undefined || value === false) return []
      if (value === true) return [`--${name}`]
      return typeof value === 'object' ? value.map((one) => `--${name}=${one}`) : [`--${name}=${value}`]
    })
}

function othersOf(others: readonly string[]): { passed: readonly string[]; ports: readonly string[]; restart: string } {
  const value = (name: string) =>
    others.filter((one) => one.startsWith(`--${name}=`)).map((one) => one.slice(name.length + 3))
  const restart = value('restart').at(-1) ?? 'on-failure'
  const known: Readonly<Record<string, string>> = { no: 'no', always: 'always', 'unless-stopped': 'always' }
  return {
    passed: others.filter((one) => !/^--(publish|restart)=/.test(one)),
    ports: value('publish'),
    restart: known[restart] ?? 'on-failure',
  }
}

function section(name: string, lines: Section): string {
  return [`[${name}]`, ...lines.map(([key, value]) => `${key}=${value}`), ''].join('\n')
}

/** A value that systemd does not split into words: quotes and backslashes stand for themselves. */
function whole(key: string, value: string): string {
  if (/[\n\0]|\\$|^\s|\s$/.test(value) || value === '')
    throw impossible(`${key}=${visible(value)}`, 'no unit can hold it', 'take out line ends and blanks at its ends')
  return escaped(value)
}

/** One word among several. Source: systemd.syntax(7), "Quoting". */
function word(value: string): string {
  return quoted(escaped(value))
}

function quoted(value: string): string {
  if (/^[^\s"'\\;]+$/.test(value)) return value
  return `"${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`
}

/** Source: systemd.unit(5), "Specifiers"; systemd.service(5), "Command lines": podman puts every value into ExecStart. */
function escaped(value: string): string {
  return value.replaceAll('%', '%%').replaceAll('$', '$$$$')
}

function impossible(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('UNSUPPORTED', { operation: 'generate quadlet', object, reason, hint })
}

import { BuilderError } from '../errors.js'
import type { Deployment } from './deployment.js'
import { type KubeVolumes, kubeVolumes } from './kube-volumes.js'

/** A manifest, as JSON values. */
export type KubeObject = Readonly<Record<string, unknown>>

/**
 * A Kubernetes manifest of a Pod, or of a Job that runs one to its end. Source: Kubernetes API reference v1, PodSpec and Container.
 *
 * Throws `UNSUPPORTED` for what a manifest cannot say.
 */
export function kubeManifest(deployment: Deployment, kind: 'Pod' | 'Job'): KubeObject {
  const name = kubeName(deployment.name)
  const metadata = { name, labels: { app: name }, ...annotations(deployment) }
  const { detach, rm } = deployment.options
  const isOnce = kind === 'Job' || (rm === true && !detach)
  const spec = podSpec(deployment, name, isOnce ? 'Never' : 'Always')
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata, spec }
  const template = { metadata: { labels: { app: name } }, spec }
  return { apiVersion: 'batch/v1', kind, metadata, spec: { backoffLimit: 0, template } }
}

/** Source: RFC 1123, which the names of pods follow. */
function kubeName(name: string): string {
  const made = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
  return made.replace(/-+$/, '') || 'container'
}

/** A label of a container may hold what a label of Kubernetes' may not. */
function annotations({ options: { label = [] } }: Deployment): { annotations?: KubeObject } {
  if (label.length === 0) return {}
  return { annotations: Object.fromEntries(label.map((text) => splitAt(text, '='))) }
}

function podSpec(deployment: Deployment, name: string, restartPolicy: string): KubeObject {
  const { options } = deployment
  refuse(deployment)
  const volumes = kubeVolumes(deployment)
  return {
    restartPolicy,
    ...(options.network === 'host' ? { hostNetwork: true } : {}),
    ...(options.pid === 'host' ? { hostPID: true } : {}),
    ...(options.ipc === 'host' ? { hostIPC: true } : {}),
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    ...hostAliases(options.addHost ?? []),
    ...(options.dns ? { dnsPolicy: 'None', dnsConfig: { nameservers: options.dns } } : {}),
    containers: [container(deployment, name, volumes)],
    ...(volumes.volumes.length > 0 ? { volumes: volumes.volumes } : {}),
  }
}

function container(deployment: Deployment, name: string, { mounts }: KubeVolumes): KubeObject {
  const { image, options, command, others, config } = deployment
  const entry = options.entrypoint === undefined ? config.Entrypoint : entryWords(options.entrypoint)
  const words = command.length > 0 ? command : options.entrypoint === undefined ? config.Cmd : undefined
  const ports = portsOf(deployment)
  const context = securityContext(deployment)
  const limits = limitsOf(others)
  const workingDir = options.workdir ?? config.WorkingDir
  const policies = { missing: 'IfNotPresent', always: 'Always', newer: 'Always', never: 'Never' }
  return {
    name,
    image,
    ...(options.pull ? { imagePullPolicy: policies[options.pull] } : {}),
    ...(entry && entry.length > 0 ? { command: entry.map(literal) } : {}),
    ...(words && words.length > 0 ? { args: words.map(literal) } : {}),
    ...(workingDir ? { workingDir } : {}),
    ...(options.env ? { env: options.env.map(variable) } : {}),
    ...(ports.length > 0 ? { ports } : {}),
    ...(options.interactive ? { stdin: true } : {}),
    ...(options.tty ? { tty: true } : {}),
    ...(Object.keys(limits).length > 0 ? { resources: { limits } } : {}),
    ...(Object.keys(context).length > 0 ? { securityContext: context } : {}),
    ...(mounts.length > 0 ? { volumeMounts: mounts } : {}),
  }
}

function entryWords(text: string): readonly string[] {
  return text.startsWith('[') ? (JSON.parse(text) as string[]) : text === '' ? [] : [text]
}

/** Source: Container v1, `command`: `$(NAME)` would be replaced, `$$(NAME)` is text. */
function literal(word: string): string {
  return word.replaceAll('$(', '$$$$(')
}

function variable(text: string): KubeObject {
  if (!text.includes('='))
    throw impossible(`--env ${text}`, 'there is no caller to take it from', `write --env ${text}=VALUE`)
  const [name, value] = splitAt(text, '=')
  return { name, value: literal(value) }
}

function portsOf({ config, others, options }: Deployment): readonly KubeObject[] {
  const published = values(others, 'publish').map(publishedPort)
  const exposed = Object.keys(config.ExposedPorts ?? {}).map((text) => port(text))
  const isNew = ({ containerPort, protocol }: KubeObject) =>
    !published.some((one) => one.containerPort === containerPort && one.protocol === protocol)
  const moved = published.find(({ hostPort, containerPort }) => hostPort !== undefined && hostPort !== containerPort)
  // Source: Container v1, `ports.hostPort`: in the host's network both have to be the same.
  if (moved && options.network === 'host')
    throw impossible(
      `--publish ${moved.hostPort}:${moved.containerPort}`,
      'in the network of the host a port stays itself',
      'leave it out',
    )
  return [...published, ...exposed.filter(isNew)]
}

function publishedPort(text: string): KubeObject {
  const parts = text.split(':')
  const made = port(parts.at(-1) ?? '')
  const hostPort = parts.at(-2)
  const hostIP = parts.length > 2 ? { hostIP: parts.slice(0, -2).join(':') } : {}
  if (hostPort === undefined) return made
  return { ...made, hostPort: number(hostPort, `--publish ${text}`), ...hostIP }
}

function port(text: string): KubeObject {
  const [digits = '', protocol = 'tcp'] = text.split('/')
  return { containerPort: number(digits, `port ${text}`), protocol: protocol.toUpperCase() }
}

function number(text: string, object: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw impossible(object, 'a manifest takes one port number', 'write each port by itself')
}

function securityContext({ options, config }: Deployment): KubeObject {
  const { privileged, readOnly, capAdd = [], capDrop = [], securityOpt = [] } = options
  const names = (list: readonly string[]) =>
    list.flatMap((text) => text.split(',')).map((name) => name.toUpperCase().replace(/^CAP_/, ''))
  const user = options.user ?? (/^\d/.test(config.User ?? '') ? config.User : undefined)
  const capabilities = {
    ...(capAdd.length > 0 ? { add: names(capAdd) } : {}),
    ...(capDrop.length > 0 ? { drop: names(capDrop) } : {}),
  }
  return {
    ...(privileged ? { privileged } : {}),
    ...(readOnly ? { readOnlyRootFilesystem: true } : {}),
    ...(user === undefined ? {} : userContext(user)),
    ...(Object.keys(capabilities).length > 0 ? { capabilities } : {}),
    ...(securityOpt.some((text) => /^no-new-privileges([:=]true)?$/.test(text))
      ? { allowPrivilegeEscalation: false }
      : {}),
    ...(securityOpt.includes('seccomp=unconfined') ? { seccompProfile: { type: 'Unconfined' } } : {}),
  }
}

function userContext(user: string): KubeObject {
  const [uid = '', gid] = user.split(':')
  if (!/^\d+$/.test(uid) || (gid !== undefined && !/^\d+$/.test(gid)))
    throw impossible(`--user ${user}`, 'a manifest takes numbers', 'write the numbers of user and group')
  return { runAsUser: Number(uid), ...(gid === undefined ? {} : { runAsGroup: Number(gid) }) }
}

function limitsOf(others: readonly string[]): KubeObject {
  const memory = values(others, 'memory').at(-1)
  const cpu = values(others, 'cpus').at(-1)
  const bytes = memory?.replace(
    /^(\d+)([kmgt])b?$/i,
    (_, digits, unit) => `${digits}${unit.toUpperCase() === 'K' ? 'Ki' : `${unit.toUpperCase()}i`}`,
  )
  return { ...(bytes === undefined ? {} : { memory: bytes }), ...(cpu === undefined ? {} : { cpu }) }
}

/** What is asked for and has no place in a manifest is an error: nothing is left out silently. */
function refuse({ options, others }: Deployment): void {
  const { network, uts, ulimit, envFile, securityOpt = [] } = options
  if (network === 'none')
    throw impossible('--network none', 'a pod always has a network', 'leave it out, or use a NetworkPolicy')
  if (uts === 'host' && network !== 'host')
    throw impossible('--uts host', 'a manifest cannot ask for it alone', 'use --network host')
  if (ulimit) throw impossible('--ulimit', 'a manifest has no limits of this kind', 'set it in the image’s command')
  if (envFile) throw impossible('--env-file', 'the file is not on the cluster', 'write --env, or use a ConfigMap')
  const odd = securityOpt.find(
    (text) =>
      !/^(no-new-privileges([:=](true|false))?|seccomp=unconfined|label=disable|apparmor=unconfined)$/.test(text),
  )
  if (odd) throw impossible(`--security-opt ${odd}`, 'a manifest has no place for it', 'leave it out')
  const flag = others.find((one) => !/^--(publish|memory|cpus|restart)=/.test(one))
  if (flag) throw impossible(flag, 'a manifest has no place for it', 'leave it out of the label')
}

function hostAliases(lines: readonly string[]): { hostAliases?: readonly KubeObject[] } {
  if (lines.length === 0) return {}
  return {
    hostAliases: lines.map((text) => {
      const [name, ip] = splitAt(text, ':')
      return { ip, hostnames: [name] }
    }),
  }
}

function values(others: readonly string[], name: string): readonly string[] {
  return others.filter((one) => one.startsWith(`--${name}=`)).map((one) => one.slice(name.length + 3))
}

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function impossible(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('UNSUPPORTED', { operation: 'generate kube', object, reason, hint })
}

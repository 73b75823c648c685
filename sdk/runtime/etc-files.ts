import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import type { BindMount } from './mount-request.js'
import type { Network } from './network.js'

/** What resolv.conf says instead of what the host's does; what is absent stays the host's. Source: resolv.conf(5). */
export interface DnsSettings {
  readonly servers?: readonly string[]
  readonly search?: readonly string[]
  readonly options?: readonly string[]
}

/** What {@link writeEtcFiles} needs to know. */
export interface EtcRequest {
  /** Made; its name is in the mount table of every process of the run, and so tells them from others. */
  readonly folder: string
  readonly hostname: string
  readonly network: Network
  /** The address that answers name queries in a private network. */
  readonly nameserver?: string
  readonly dns?: DnsSettings
  readonly noHosts?: boolean
  readonly noHostname?: boolean
  /** `name:address` of `--add-host`. */
  readonly addHosts?: readonly string[]
}

/**
 * Writes resolv.conf, hosts and hostname for one run into its folder, to be mounted over the container's: nothing of
 * the host's network comes near the layer.
 *
 * Throws `USAGE` for an `addHosts` entry that is not `name:address`.
 */
export function writeEtcFiles(request: EtcRequest): BindMount[] {
  const { folder, hostname } = request
  const files: [string, string][] = [['resolv.conf', withDns(resolvConf(request), request.dns ?? {})]]
  if (!request.noHosts) files.push(['hosts', hosts(request)])
  if (!request.noHostname) files.push(['hostname', `${hostname}\n`])
  mkdirSync(folder)
  return files.map(([name, text]) => {
    const source = join(folder, name)
    writeFileSync(source, text)
    // Whatever the caller's umask: every user of the container reads these.
    chmodSync(source, 0o644)
    return { type: 'bind', source, destination: `/etc/${name}` }
  })
}

/** The host's, but without servers that only the host's own network can reach. */
function resolvConf({ network, nameserver }: EtcRequest): string {
  if (network === 'none') return ''
  const host = textOf('/etc/resolv.conf')
  if (network === 'host') return host
  if (nameserver) return [`nameserver ${nameserver}`, ...linesOf(host).filter((line) => !isServer(line)), ''].join('\n')
  const behindStub = isLoopbackOnly(host) ? textOf('/run/systemd/resolve/resolv.conf') : host
  return `${linesOf(behindStub)
    .filter((line) => !loopbackServer.test(line))
    .join('\n')}\n`
}

/** Throws `USAGE` for a name server or a host that is wrongly written. */
export function checkEtc({ addHosts = [], dns = {} }: Pick<EtcRequest, 'addHosts' | 'dns'>): void {
  addHosts.forEach(hostEntry)
  dns.servers?.forEach(checkServer)
}

function withDns(text: string, { servers = [], search = [], options = [] }: DnsSettings): string {
  const given: readonly (readonly [word: string, lines: readonly string[]])[] = [
    ['nameserver', servers.map(checkServer).map((server) => `nameserver ${server}`)],
    // A dot alone stands for no list at all, as in podman.
    ['search', search.length > 0 ? [search.includes('.') ? '' : `search ${search.join(' ')}`] : []],
    ['options', options.length > 0 ? [`options ${options.join(' ')}`] : []],
  ]
  const replaced = new Set(given.filter(([, lines]) => lines.length > 0).map(([word]) => word))
  if (replaced.size === 0) return text
  const kept = linesOf(text).filter(
    (line) => !replaced.has(line.trim().split(/\s+/)[0]?.replace('domain', 'search') ?? ''),
  )
  return [...kept, ...given.flatMap(([, lines]) => lines).filter(Boolean), ''].join('\n')
}

function checkServer(address: string): string {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address) ? URL.canParse(`http://${address}`) : URL.canParse(`http://[${address}]`))
    return address
  throw new BuilderError('USAGE', {
    operation: 'set name server',
    object: JSON.stringify(address),
    reason: 'it is not an address',
    hint: 'write for example --dns 192.0.2.53',
  })
}

/** Added entries first, for the first match wins; the host's own next, as the field has it. */
function hosts({ hostname, network, addHosts = [] }: EtcRequest): string {
  const added = addHosts.map(hostEntry)
  const inherited = network === 'host' ? linesOf(textOf('/etc/hosts')) : ['127.0.0.1\tlocalhost', '::1\tlocalhost']
  const known = inherited.some((line) => line.replace(/#.*/, '').split(/\s+/).slice(1).includes(hostname))
  return `${[...added, ...inherited, ...(known ? [] : [`127.0.0.1\t${hostname}`])].join('\n')}\n`
}

function hostEntry(text: string): string {
  const [, name, address] = /^([^:\s]+):\[?([0-9a-fA-F.:]+)\]?$/.exec(text) ?? []
  if (name && address) return `${address}\t${name}`
  throw new BuilderError('USAGE', {
    operation: 'add host',
    object: JSON.stringify(text),
    reason: 'it is not NAME:ADDRESS',
    hint: 'write for example --add-host db:192.0.2.7',
  })
}

function isLoopbackOnly(text: string): boolean {
  const servers = linesOf(text).filter(isServer)
  return servers.length > 0 && servers.every((line) => loopbackServer.test(line))
}

function isServer(line: string): boolean {
  return /^\s*nameserver\s/.test(line)
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '')
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const loopbackServer = /^\s*nameserver\s+(127\.|::1\s*$)/

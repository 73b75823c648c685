import { once } from 'node:events'
import { request } from 'node:http'
import { BlockList, isIP, type Socket } from 'node:net'

/**
 * The proxy that the environment names for an address: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in upper or lower case, as
 * podman and skopeo read them. This machine itself is never reached through one.
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv = process.env): URL | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const text = env[name] || env[name.toLowerCase()]
  if (!text || isOwn(url.hostname) || isExempt(url, env.NO_PROXY || env.no_proxy || '')) return undefined
  const whole = text.includes('://') ? text : `http://${text}`
  return URL.canParse(whole) && whole.startsWith('http://') ? new URL(whole) : undefined
}

/** A way through a proxy to a host. Source: RFC 9110, section 9.3.6. Throws {@link NoTunnel}. */
export async function openTunnel(proxy: URL, host: string): Promise<Socket> {
  const { hostname, port } = proxy
  const ask = request({ hostname, port: port || 80, method: 'CONNECT', path: host, headers: proxyHeaders(proxy) })
  ask.end()
  const [answer, socket] = (await once(ask, 'connect')) as [{ statusCode?: number }, Socket]
  if (answer.statusCode === 200) return socket
  socket.destroy()
  throw new NoTunnel(`the proxy ${proxy.host} answers ${answer.statusCode} when asked for ${host}`)
}

/** A proxy that leads nowhere. */
export class NoTunnel extends Error {}

/** Who asks, where the proxy's address says it. */
export function proxyHeaders({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}

function isOwn(hostname: string): boolean {
  return hostname === 'localhost' || hostname.startsWith('127.') || hostname === '[::1]'
}

/** Names cover their subdomains; addresses may be ranges; either may have a port. */
function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const at = port || (protocol === 'https:' ? '443' : '80')
  const host = hostname.replace(/^\[|\]$/g, '')
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => {
      if (entry === '*') return true
      const [, name = '', wanted] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(entry) ?? []
      if (name === '' || (wanted !== undefined && wanted !== at)) return false
      if (isIP(host) > 0) return host === name || isInRange(host, entry)
      const suffix = name.replace(/^\*?\./, '')
      return host === suffix || host.endsWith(`.${suffix}`)
    })
}

function isInRange(host: string, entry: string): boolean {
  const [net = '', bits = ''] = entry.split('/')
  const family = isIP(net) === 6 ? 'ipv6' : 'ipv4'
  if (isIP(net) === 0 || !/^\d+$/.test(bits) || Number(bits) > (family === 'ipv6' ? 128 : 32)) return false
  const range = new BlockList()
  range.addSubnet(net, Number(bits), family)
  return range.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}

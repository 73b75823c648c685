import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect, createSecureContext } from 'node:tls'
import { readCertificates } from './certs.js'
import { openTunnel, proxyFor } from './proxy.js'

/** Who may be spoken to without a check, and with whose certificates. */
export interface Trust {
  readonly host: string
  readonly insecure: boolean
  readonly certDirs: readonly string[]
}

/** Connections that stay open between requests. */
export interface Agents {
  agentFor(url: URL): Promise<HttpAgent>
  close(): void
}

/**
 * The agents of one registry. Authorities are read and parsed once, at the first TLS connection. The client's own
 * certificate is shown to the registry alone, not to where it redirects.
 */
export function newAgents(trust: Trust): Agents {
  const plain = new HttpAgent(keep)
  let secure: Promise<SecureAgents> | undefined
  return {
    async agentFor(url) {
      if (url.protocol !== 'https:') return plain
      secure ??= secureAgents(trust)
      const { home, abroad } = await secure
      return url.host === trust.host ? home : abroad
    },
    close() {
      plain.destroy()
      // What could not be opened need not be closed.
      secure?.then(({ home, abroad }) => [home, abroad].map((agent) => agent.destroy())).catch(() => {})
    },
  }
}

const keep = { keepAlive: true, maxSockets: 16 }

interface SecureAgents {
  readonly home: HttpsAgent
  readonly abroad: HttpsAgent
}

async function secureAgents({ certDirs, insecure }: Trust): Promise<SecureAgents> {
  const { ca, cert, key } = await readCertificates(certDirs)
  const check = { ...keep, rejectUnauthorized: !insecure }
  const abroad = new TunnelAgent({ ...check, secureContext: createSecureContext({ ca: [...ca] }) })
  if (cert === undefined || key === undefined) return { home: abroad, abroad }
  return { home: new TunnelAgent({ ...check, secureContext: createSecureContext({ ca: [...ca], cert, key }) }), abroad }
}

type Opened = (error: Error | null, socket: Duplex) => void

/** Goes through a proxy where the environment names one. */
class TunnelAgent extends HttpsAgent {
  override createConnection(options: ConnectionOptions, opened: Opened): Duplex | undefined {
    const { host = '', port } = options
    const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
    const proxy = proxyFor(new URL(`https://${place}`))
    if (!proxy) return connect(options)
    openTunnel(proxy, place).then(
      (socket) => opened(null, connect({ ...options, socket })),
      // Nobody reads a socket that comes with an error.
      (error) => opened(error, undefined as unknown as Duplex),
    )
    return undefined
  }
}

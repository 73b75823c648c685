import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../../eventually.js'

/** A real registry server (Debian's docker-registry) on this machine's loopback. */
export interface RegistryServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  /** Its storage. */
  readonly folder: string
  /** The requests it logged so far, as `GET /v2/web/manifests/1 200`, without the query. */
  requests(): readonly string[]
  /** Waits until it has logged what it was asked before; of a server without TLS. */
  settled(): Promise<void>
}

export interface ServerOptions {
  /** Files of a certificate and its key. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string }
  /** User and password of HTTP's basic authentication. */
  readonly login?: { readonly user: string; readonly password: string }
  /** A token server and the certificate that it signs with. */
  readonly tokens?: { readonly realm: string; readonly certificate: string; readonly issuer: string }
}

/** Starts a registry that keeps its things in a folder. It ends when it is disposed of. */
export async function startRegistry(folder: string, options: ServerOptions = {}): Promise<RegistryServer> {
  mkdirSync(folder, { recursive: true })
  const config = join(folder, 'config.yml')
  writeFileSync(config, configuration(folder, options))
  const env = { PATH: process.env.PATH ?? '', OTEL_TRACES_EXPORTER: 'none' }
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'pipe', 'pipe'], env })
  const lines: string[] = []
  const ended = once(child, 'close')
  const port = await new Promise<string>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => reject(new Error(`docker-registry ended: ${lines.join('\n')}`)))
    for (const stream of [child.stdout, child.stderr]) {
      let rest = ''
      stream.setEncoding('utf8').on('data', (text: string) => {
        const parts = (rest + text).split('\n')
        rest = parts.pop() ?? ''
        lines.push(...parts)
        const found = /listening on 127\.0\.0\.1:(\d+)/.exec(parts.join('\n'))?.[1]
        if (found) resolve(found)
      })
    }
  })
  return {
    host: `127.0.0.1:${port}`,
    folder,
    requests: () => lines.flatMap(requestOf).filter((line) => !line.includes('/v2/marker-')),
    settled: () => hasLogged(lines, `127.0.0.1:${port}`),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000)
      await ended
      clearTimeout(timer)
    },
  }
}

/** It writes its log when it has time: a request of our own shows how far it is. */
async function hasLogged(lines: readonly string[], host: string): Promise<void> {
  const marker = `/v2/marker-${randomUUID()}/tags/list`
  await (await fetch(`http://${host}${marker}`)).text()
  await eventually(() => lines.some((line) => line.includes(marker)), 'the registry has logged what it was asked')
}

/** Its access log has the form of Apache's. */
function requestOf(line: string): string[] {
  const found = /"([A-Z]+) ([^ ?"]+)[^"]* HTTP\/[\d.]+" (\d{3})/.exec(line)
  return found ? [found.slice(1).join(' ')] : []
}

function configuration(folder: string, { tls, login, tokens }: ServerOptions): string {
  const auth = { ...(login ? { htpasswd: htpasswd(folder, login) } : {}), ...(tokens ? { token: token(tokens) } : {}) }
  // JSON is YAML.
  return JSON.stringify({
    version: '0.1',
    log: { level: 'info', formatter: 'text', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: {
      addr: '127.0.0.1:0',
      secret: 'a secret of the test',
      ...(tls ? { tls: { certificate: tls.certificate, key: tls.key, ...clients(tls.clientAuthority) } } : {}),
    },
    ...(Object.keys(auth).length > 0 ? { auth } : {}),
  })
}

function clients(authority: string | undefined) {
  return authority === undefined ? {} : { clientcas: [authority] }
}

function htpasswd(folder: string, { user, password }: { readonly user: string; readonly password: string }) {
  const path = join(folder, 'htpasswd')
  writeFileSync(path, execFileSync('htpasswd', ['-Bbn', user, password]))
  return { realm: 'test', path }
}

function token({ realm, certificate, issuer }: NonNullable<ServerOptions['tokens']>) {
  return { realm, service: 'the test registry', issuer, rootcertbundle: certificate }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server of git repositories on this machine: git's own, `git http-backend`, behind HTTP. */
export interface GitServer extends AsyncDisposable {
  readonly origin: string
  /** Paths that were asked for, with their Authorization. */
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[]
}

/** How it serves. */
export interface GitServerOptions {
  /** `user:password` without which it refuses. */
  readonly login?: string
  /** Speaks the protocol of old servers, which give no commit that no ref names. */
  readonly isOld?: boolean
}

/** Serves all bare repositories below a folder. */
export async function serveGit(folder: string, { login, isOld = false }: GitServerOptions = {}): Promise<GitServer> {
  const requests: GitServer['requests'] = []
  const server = createServer((request, response) => {
    const { authorization } = request.headers
    requests.push({ path: request.url ?? '', authorization })
    const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`
    if (wanted !== undefined && authorization !== wanted)
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
    backend(folder, request, response, isOld)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Source: RFC 3875 (CGI), git-http-backend(1). */
function backend(folder: string, request: IncomingMessage, response: ServerResponse, isOld: boolean): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://x')
  const protocol = request.headers['git-protocol']
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      ...(typeof protocol === 'string' && !isOld ? { GIT_PROTOCOL: protocol } : {}),
    },
  })
  child.stdin.on('error', () => {})
  request.pipe(child.stdin)
  let head = Buffer.alloc(0)
  child.stdout.on('data', (chunk: Buffer) => {
    if (response.headersSent) return response.write(chunk)
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    const lines = head.toString('latin1', 0, end).split('\r\n')
    const headers = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const)
    const status = Number.parseInt(headers.find(([name]) => name === 'Status')?.[1] ?? '200', 10)
    response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status')))
    response.write(head.subarray(end + 4))
  })
  child.stdout.on('end', () => response.end())
}

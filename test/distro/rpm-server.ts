/** Serves a repository over HTTP on the loopback interface, as well or as badly as a test asks. */
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'

/** What becomes of a request: served, not found, refused as unavailable, or cut in the middle of the answer. */
export type Fate = 'served' | 'missing' | 'unavailable' | 'cut'

export interface RpmServer extends AsyncDisposable {
  /** `http://127.0.0.1:…`, for `--repo ID=URL`. */
  readonly url: string
  /** The paths asked for so far, in order, without the first slash. */
  readonly requests: string[]
}

/** Starts a server of a folder; `fate` decides for each path, and may change its mind. */
export async function serveRpms(folder: string, fate: (path: string) => Fate = () => 'served'): Promise<RpmServer> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://loopback').pathname)).slice(1)
    requests.push(path)
    answer(response, join(folder, path), fate(path))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function answer(response: ServerResponse, file: string, fate: Fate): void {
  const status = { served: 200, cut: 200, missing: 404, unavailable: 503 }[fate]
  if (status !== 200) {
    response.writeHead(status).end()
    return
  }
  const body = read(file)
  response.writeHead(body ? 200 : 404, { 'content-length': body?.length ?? 0 })
  if (fate === 'cut' && body) response.write(body.subarray(0, body.length / 2), () => response.destroy())
  else response.end(body)
}

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Digest, digestOf } from '../../../sdk/image/digest.js'
import type { Sample } from '../sample.js'

/**
 * A registry in this process, in memory, that keeps to the distribution specification in what Debian's does not: it goes
 * on with a broken upload, lists referrers, wants chunks of a size. And it lies where a test wants it to.
 */
export interface OwnRegistry extends AsyncDisposable {
  readonly host: string
  readonly blobs: Map<string, Buffer>
  /** By tag and by digest, of all repositories. */
  readonly manifests: Map<string, { readonly bytes: Buffer; readonly mediaType: string }>
  /** Requests so far. */
  readonly requests: {
    readonly line: string
    readonly authorization: string | undefined
    readonly range: string | undefined
  }[]
  /** Puts an image there, under a tag. */
  hold(image: Sample, tag: string): void
}

export interface OwnOptions {
  /** Answers in the registry's place: true when it did. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse, url: URL) => boolean | Promise<boolean>
  readonly leastChunk?: number
  readonly hasReferrers?: boolean
}

export async function startOwnRegistry({ instead, leastChunk, hasReferrers }: OwnOptions = {}): Promise<OwnRegistry> {
  const blobs: OwnRegistry['blobs'] = new Map()
  const manifests: OwnRegistry['manifests'] = new Map()
  const uploads = new Map<string, Buffer[]>()
  const requests: OwnRegistry['requests'] = []
  // A connection that is cut while a body comes is no fault of the registry.
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()))
  async function answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://x')
    const { authorization, range } = request.headers
    requests.push({ line: `${request.method} ${url.pathname}`, authorization, range })
    request.on('error', () => {})
    if (await instead?.(request, response, url)) return
    const [, kind = '', rest = ''] =
      /^\/v2\/(?:.+\/)?(manifests|blobs|uploads|referrers|tags)\/(.*)$/.exec(url.pathname) ?? []
    if (url.pathname === '/v2/') return response.end('{}')
    if (kind === 'manifests') return manifest(rest, request, response)
    if (kind === 'blobs') return blob(rest, request, response)
    if (kind === 'uploads') return upload(rest, url, request, response)
    if (kind === 'referrers' && hasReferrers) return referrers(rest, response)
    fail(response, 404, 'UNSUPPORTED')
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function manifest(reference: string, request: IncomingMessage, response: ServerResponse) {
    if (request.method === 'PUT') {
      const bytes = await bodyOf(request)
      const entry = { bytes, mediaType: request.headers['content-type'] ?? '' }
      for (const name of [reference, digestOf(bytes)]) manifests.set(name, entry)
      const subject = JSON.parse(bytes.toString()).subject?.digest
      const told = hasReferrers && subject ? { 'oci-subject': subject } : {}
      return response.writeHead(201, { 'docker-content-digest': digestOf(bytes), ...told }).end()
    }
    const found = manifests.get(reference)
    if (!found) return fail(response, 404, 'MANIFEST_UNKNOWN')
    const { bytes, mediaType } = found
    const headers = {
      'content-type': mediaType,
      'content-length': bytes.length,
      'docker-content-digest': digestOf(bytes),
    }
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : bytes)
  }

  function blob(digest: string, request: IncomingMessage, response: ServerResponse) {
    const bytes = blobs.get(digest)
    if (!bytes) return fail(response, 404, 'BLOB_UNKNOWN')
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const part = bytes.subarray(start)
    const range = start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': part.length, ...range })
    response.end(request.method === 'HEAD' ? undefined : part)
  }

  async function upload(id: string, url: URL, request: IncomingMessage, response: ServerResponse) {
    const isNew = request.method === 'POST'
    const name = isNew ? randomUUID() : id
    if (isNew) uploads.set(name, [])
    const parts = uploads.get(name)
    if (!parts) return fail(response, 404, 'BLOB_UPLOAD_UNKNOWN')
    const size = () => parts.reduce((sum, part) => sum + part.length, 0)
    const least = leastChunk === undefined ? {} : { 'oci-chunk-min-length': leastChunk }
    const headers = () => ({
      location: `/v2/x/uploads/${name}?a=b%3D`,
      range: `0-${Math.max(0, size() - 1)}`,
      ...least,
    })
    if (isNew) return response.writeHead(202, headers()).end()
    if (request.method === 'GET') return response.writeHead(204, headers()).end()
    if (request.method === 'DELETE') return response.writeHead(uploads.delete(name) ? 204 : 404).end()
    const start = /^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1]
    if (start !== undefined && Number(start) !== size()) return fail(response, 416, 'RANGE_INVALID')
    for await (const chunk of request) parts.push(chunk)
    if (request.method === 'PATCH') return response.writeHead(202, headers()).end()
    const bytes = Buffer.concat(parts)
    if (digestOf(bytes) !== url.searchParams.get('digest')) return fail(response, 400, 'DIGEST_INVALID')
    blobs.set(digestOf(bytes), bytes)
    uploads.delete(name)
    response.writeHead(201, { location: '/somewhere' }).end()
  }

  function referrers(digest: string, response: ServerResponse) {
    const all = [...new Set(manifests.values())].filter(
      ({ bytes }) => JSON.parse(bytes.toString()).subject?.digest === digest,
    )
    const list = all.map(({ bytes, mediaType }) => {
      const { artifactType, config, annotations } = JSON.parse(bytes.toString())
      const type = { artifactType: artifactType ?? config.mediaType, annotations }
      return { mediaType, digest: digestOf(bytes), size: bytes.length, ...type }
    })
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    response.writeHead(200, { 'content-type': mediaType })
    response.end(JSON.stringify({ schemaVersion: 2, mediaType, manifests: list }))
  }

  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    blobs,
    manifests,
    requests,
    hold(image, tag) {
      for (const [digest, bytes] of image.blobs) {
        blobs.set(digest, Buffer.from(bytes))
        manifests.set(digest, { bytes: Buffer.from(bytes), mediaType: image.top.mediaType })
      }
      manifests.set(tag, {
        bytes: Buffer.from(image.blobs.get(image.top.digest as Digest) ?? []),
        mediaType: image.top.mediaType,
      })
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** An answer as a registry refuses. */
export function fail(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): true {
  const body = JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] })
  // Without its length the answer to a HEAD would end the connection.
  const length = { 'content-length': String(body.length) }
  response.writeHead(status, { 'content-type': 'application/json', ...length, ...headers }).end(body)
  return true
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { ErrorCode } from '../../../sdk/errors.js'
import { canonicalJson } from '../../../sdk/image/config.js'
import { type Descriptor, mediaTypes } from '../../../sdk/image/descriptor.js'
import { digestOf } from '../../../sdk/image/digest.js'
import { add, resealed, type Sample, sampleImage } from '../sample.js'
import type { OwnOptions } from './own-registry.js'

type Instead = NonNullable<OwnOptions['instead']>

/** Answers requests whose path holds these words. */
const at =
  (words: string, answer: (request: IncomingMessage, response: ServerResponse) => unknown): Instead =>
  (request, response, url) => {
    if (!url.pathname.includes(words)) return false
    answer(request, response)
    return true
  }

/** Sends bytes without an end. */
function pour(response: ServerResponse, headers: Record<string, string> = {}): void {
  response.writeHead(200, headers)
  const chunk = Buffer.alloc(1 << 20)
  const more = () => void (response.destroyed || response.write(chunk, more))
  more()
}

/** The image that a registry should give. */
export const image = sampleImage()
const layer = image.layers[0] as Descriptor
const bytesOf = ({ digest }: Descriptor) => Buffer.from(image.blobs.get(digest) as Uint8Array)
const altered = Buffer.from(bytesOf(layer)).fill(7, 20, 24)
const manifest = bytesOf(image.top)
const other = sampleImage({ files: ['other'] })
const otherManifest = other.blobs.get(other.top.digest)

const withLayers = (layers: readonly Descriptor[]) => resealed(sampleImage(), image.config, layers)
const withConfig = (text: string) => {
  const other = sampleImage()
  return resealed(other, add(other.blobs, other.config.mediaType, text), other.layers)
}
const bomb = () => {
  const other = sampleImage()
  return resealed(other, other.config, [
    add(other.blobs, mediaTypes.layerGzip, gzipSync(Buffer.alloc(300 << 20))),
    other.layers[1] as Descriptor,
  ])
}
const withMediaType = (mediaType: string) => {
  const other = sampleImage()
  const parts = JSON.parse(bytesOf(image.top).toString())
  return { ...other, top: add(other.blobs, mediaType, canonicalJson({ ...parts, mediaType })) }
}

/** What a registry may give in the place of an image. */
export interface Lie {
  readonly title: string
  readonly image?: Sample
  readonly instead?: Instead
  readonly code: ErrorCode | readonly ErrorCode[]
  readonly text: string
  readonly reference?: string
}

/** Every lie, and the error that it ends in. */
export const lies: readonly Lie[] = [
  {
    title: 'another layer of the same size',
    instead: at(layer.digest, (_, response) => response.end(altered)),
    code: 'DIGEST',
    text: `${layer.size} bytes with the digest ${digestOf(altered)} came`,
  },
  {
    title: 'a layer that is longer, as it says',
    instead: at(layer.digest, (_, response) => response.end(Buffer.concat([bytesOf(layer), Buffer.alloc(9)]))),
    code: 'DIGEST',
    text: 'bytes where its descriptor says',
  },
  {
    title: 'a layer that is longer than it says',
    instead: at(layer.digest, (_, response) => response.write(bytesOf(layer), () => response.end('more'))),
    code: 'DIGEST',
    text: `more than ${layer.size} bytes came`,
  },
  {
    title: 'a layer that is shorter',
    instead: at(layer.digest, (_, response) => response.end(bytesOf(layer).subarray(0, 50))),
    code: 'DIGEST',
    text: 'has 50 bytes where its descriptor says',
  },
  {
    title: 'a layer without an end',
    instead: at(layer.digest, (_, response) => pour(response)),
    code: 'DIGEST',
    text: 'more than',
  },
  {
    title: 'a layer that is not there',
    instead: at(layer.digest, (_, response) => response.writeHead(404).end()),
    code: 'NOT_FOUND',
    text: '404',
  },
  {
    title: 'a manifest without an end',
    instead: at('/manifests/', (_, response) => pour(response)),
    code: 'INVALID',
    text: 'it has more than 4194304 bytes',
  },
  {
    title: 'a manifest of 100 MB',
    instead: at('/manifests/', (_, response) => pour(response, { 'content-length': String(100 << 20) })),
    code: 'INVALID',
    text: 'its manifest has 104857600 bytes, more than 4194304',
  },
  {
    title: 'another manifest than the digest that was asked for',
    reference: `@${image.top.digest}`,
    instead: at('/manifests/', (_, response) => response.end(otherManifest)),
    code: ['DIGEST', 'INVALID'],
    text: 'its manifest',
  },
  {
    title: 'another manifest than the digest in its header',
    instead: at('/manifests/', (_, response) =>
      response.writeHead(200, { 'docker-content-digest': digestOf('else') }).end(manifest),
    ),
    code: 'DIGEST',
    text: `its manifest has the digest ${image.top.digest}, not ${digestOf('else')}`,
  },
  {
    title: 'a manifest of another type than its header says',
    instead: at('/manifests/', (_, response) =>
      response.writeHead(200, { 'content-type': mediaTypes.index }).end(manifest),
    ),
    code: 'INVALID',
    text: 'the registry says application/vnd.oci.image.index',
  },
  {
    title: 'a manifest of schema 1',
    instead: at('/manifests/', (_, response) =>
      response
        .writeHead(200, { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' })
        .end('{}'),
    ),
    code: 'UNSUPPORTED',
    text: 'only as a Docker schema 1 manifest, which is out of use; have it pushed again with a current tool',
  },
  {
    title: 'a manifest of schema 1 without its type',
    instead: at('/manifests/', (_, response) => response.end('{"schemaVersion":1,"fsLayers":[]}')),
    code: 'UNSUPPORTED',
    text: 'only as a Docker schema 1 manifest',
  },
  {
    title: 'a manifest of a type nobody knows',
    image: withMediaType('application/vnd.example.thing'),
    code: 'INVALID',
    text: 'application/vnd.example.thing',
  },
  {
    title: 'HTML in the place of a manifest',
    instead: at('/manifests/', (_, response) => response.end('<html>Log in to the hotel</html>')),
    code: 'INVALID',
    text: 'not valid JSON',
  },
  {
    title: 'a redirect without an end',
    instead: at('/manifests/', (request, response) => response.writeHead(307, { location: `${request.url}x` }).end()),
    code: 'INVALID',
    text: 'redirects more than 5 times',
  },
  {
    title: 'a redirect to a file',
    instead: at('/manifests/', (_, response) => response.writeHead(302, { location: 'file:///etc/hostname' }).end()),
    code: 'INVALID',
    text: 'redirects to file:',
  },
  {
    title: 'a redirect to nothing',
    instead: at('/manifests/', (_, response) => response.writeHead(302, { location: 'http://' }).end()),
    code: 'INVALID',
    text: 'redirects to something that is no address',
  },
  {
    title: 'a thousand layers that are not there',
    image: withLayers(
      Array.from({ length: 1000 }, (_, i) => ({ ...layer, digest: digestOf(`layer ${i}`), size: 1000 + i })),
    ),
    code: ['NOT_FOUND', 'INVALID'],
    text: '',
  },
  {
    title: 'a gzip bomb',
    image: bomb(),
    code: 'UNSAFE',
    text: 'more than 200 times as many: it looks like a decompression bomb',
  },
  { title: 'a configuration that is not JSON', image: withConfig('<html>'), code: 'INVALID', text: 'not valid JSON' },
  {
    title: 'a layer that lies elsewhere',
    image: withLayers([{ ...layer, urls: ['http://registry.invalid/layer'] }]),
    code: 'UNSUPPORTED',
    text: 'is foreign: it is not in the image, but at http://registry.invalid/layer',
  },
  {
    title: 'a layer of a foreign type',
    image: withLayers([{ ...layer, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' }]),
    code: 'UNSUPPORTED',
    text: 'is foreign',
  },
  {
    title: 'a layer of a type nobody knows',
    image: withLayers([{ ...layer, mediaType: 'application/vnd.example.layer' }]),
    code: 'UNSUPPORTED',
    text: 'is of the unknown type application/vnd.example.layer',
  },
  {
    title: 'an error that would write to the terminal',
    instead: at('/manifests/', (_, response) =>
      response.writeHead(400).end(JSON.stringify({ errors: [{ code: 'BAD', message: '\u001b[2Jgone' }] })),
    ),
    code: 'INVALID',
    text: '(400: BAD: \\x1b[2Jgone)',
  },
  {
    title: 'an error without an end',
    instead: at('/manifests/', (_, response) => {
      response.statusCode = 400
      const more = () => void (response.destroyed || response.write(Buffer.alloc(1 << 20, ' '), more))
      more()
    }),
    code: 'INVALID',
    text: '(400)',
  },
]

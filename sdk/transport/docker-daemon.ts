import type { IncomingMessage } from 'node:http'
import { BuilderError } from '../errors.js'
import { parseJson } from '../image/config.js'
import { isDigest } from '../image/digest.js'
import { manifestSizeLimit } from '../image/manifest.js'
import type { Store } from '../store/store.js'
import { receiveArchive } from './archive.js'
import { archiveName, imageInArchive } from './docker-archive.js'
import { askEngine, bodyOf } from './docker-engine.js'
import { usage } from './location.js'
import type { ImageSource } from './source.js'
import { broken, collect } from './verify.js'

/**
 * `docker-daemon:NAME[:TAG]`, `docker-daemon:@ID` or `docker-daemon:sha256:ID`: an image of a container engine, which
 * gives it as a docker archive. What the archive holds stands at its end, so that it goes through the store's `tmp`.
 * Layers come uncompressed; the configuration, and with it the image's ID, is as it was.
 */
export async function dockerDaemonSource(store: Store, rest: string, name: string): Promise<ImageSource> {
  const image = imageOf(rest, name)
  const ask = (what: string) =>
    askEngine({ method: 'GET', path: `/images/${encodeURIComponent(image)}/${what}`, name, operation: 'read image' })
  await checkImage(await ask('json'), name)
  return imageInArchive(await receiveArchive(store, bodyOf(await ask('get'), name), name), undefined)
}

/** The name that the engine gives to an image. Throws `USAGE`. */
export function engineName(rest: string, name: string): string {
  if (rest === '' || rest.startsWith('@') || isDigest(rest))
    throw usage(name, 'it has no name', 'write docker-daemon:NAME:TAG')
  try {
    return archiveName(rest, name)
  } catch (error) {
    if (!(error instanceof BuilderError)) throw error
    throw usage(name, error.reason, 'write docker-daemon:NAME:TAG')
  }
}

function imageOf(rest: string, name: string): string {
  const id = rest.startsWith('@') ? rest.slice(1) : rest
  if (isDigest(id)) return id
  if (!rest.startsWith('@')) return engineName(rest, name)
  if (/^[0-9a-f]{6,64}$/.test(id)) return id
  throw usage(
    name,
    `${JSON.stringify(id)} is not an image ID`,
    'write docker-daemon:@ID with 6 to 64 hexadecimal digits',
  )
}

/** An image of the engine's that is told about before it is fetched: the archive of a wrong name would be empty. */
async function checkImage(answer: IncomingMessage, name: string): Promise<void> {
  const found = parseJson(await collect(answer, manifestSizeLimit, name), `${name} as the engine describes it`)
  if (typeof found !== 'object' || found === null || !('Id' in found))
    throw broken(name, 'what answers is not a container engine')
}

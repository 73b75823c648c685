import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'

/** Transports that exist: where an image can be read from and written to, apart from the store itself. */
export const transports = [
  'docker',
  'oci',
  'oci-archive',
  'docker-archive',
  'dir',
  'containers-storage',
  'docker-daemon',
  'ostree',
] as const

/** The word before the colon. */
export type TransportName = (typeof transports)[number]

/** A transport and what follows its colon. */
export interface TransportText {
  readonly transport: TransportName
  readonly rest: string
}

/**
 * Takes `transport:rest` apart; undefined for text without a transport, which is the name of an image. Throws
 * `UNSUPPORTED` for a transport of containers-transports(5) that does not exist here, and for a word before `:/`, which no
 * name of an image can have.
 */
export function transportOf(text: string): TransportText | undefined {
  const colon = text.indexOf(':')
  const word = text.slice(0, Math.max(0, colon))
  const transport = transports.find((name) => name === word)
  // `docker` counts only with `//`, for `docker:latest` is the name of an image.
  if (transport && (transport !== 'docker' || text.startsWith('docker://')))
    return { transport, rest: text.slice(colon + 1) }
  if (!elsewhere.has(word) && !/^[a-z][a-z-]*:\//i.test(text)) return undefined
  const near = nearestWord(word, transports)
  const all = `use one of ${transports.map(written).join(', ')} or the name of an image in the store`
  throw new BuilderError('UNSUPPORTED', {
    operation: 'read image location',
    object: text,
    reason: word === 'docker' ? 'docker: counts only with two slashes' : `builder has no transport ${word}:`,
    hint:
      near === undefined || elsewhere.has(word)
        ? all
        : `did you mean ${written(near)}${text.slice(colon + 1).replace(near === 'docker' ? /^\/*/ : '', '')}?`,
  })
}

function written(name: string): string {
  return name === 'docker' ? 'docker://' : `${name}:`
}

/** Transports of other tools. */
const elsewhere = new Set(['sif', 'tarball', 'atomic'])

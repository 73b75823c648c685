import { BuilderError } from '../errors.js'
import { type Digest, isDigest } from './digest.js'

/**
 * A name of an image, taken apart. Source: distribution-spec, "Pulling manifests" (names and tags), with the
 * registry in front as docker, podman and buildah write it.
 */
export interface Reference {
  /** Host and port; undefined for a short name. */
  readonly registry?: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

/** Reads `[registry/]repository[:tag][@digest]`. Throws `INVALID`. */
export function parseReference(text: string): Reference {
  const match = pattern.exec(text)
  if (!match || text.length > 512) throw invalid(text)
  const [, path = '', tag, digest] = match
  if (digest !== undefined && !isDigest(digest)) throw invalid(text)
  const slash = path.indexOf('/')
  const first = slash < 0 ? '' : path.slice(0, slash)
  const isRegistry = first === 'localhost' || /[.:]/.test(first)
  if (isRegistry && !hasRightPort(first)) {
    throw invalid(text, `${JSON.stringify(first)} is no host:port`, 'a port is a number up to 65535')
  }
  const repository = isRegistry ? path.slice(slash + 1) : path
  if (!repositoryPattern.test(repository)) throw invalid(text)
  return {
    ...(isRegistry ? { registry: first } : {}),
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  }
}

export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry ? `${registry}/` : ''}${repository}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`
}

/**
 * The full name under which the store keeps an image that a user named: short names belong to `localhost`, no tag
 * means `latest` (buildah's rule). Throws `INVALID`.
 */
export function localName(text: string): string {
  const reference = parseReference(text)
  if (reference.digest) throw invalid(text, 'a name to give cannot carry a digest')
  return formatReference({ ...reference, registry: reference.registry ?? 'localhost', tag: reference.tag ?? 'latest' })
}

/** Full names to look for when a user asks for an image, most likely first. */
export function candidateNames(text: string): readonly string[] {
  const reference = parseReference(text)
  const tag = reference.tag ?? 'latest'
  const { repository, registry } = reference
  if (registry !== undefined) return [formatReference({ registry, repository, tag })]
  const library = repository.includes('/') ? repository : `library/${repository}`
  return [`localhost/${repository}:${tag}`, `docker.io/${library}:${tag}`]
}

const pattern = /^([A-Za-z0-9][A-Za-z0-9._:/-]*?)(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(sha256:[a-f0-9]{64}))?$/
const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/

/** A name like `docker:web/x` has the word of a transport where the host and its port stand. */
function hasRightPort(registry: string): boolean {
  const [, port, ...more] = registry.split(':')
  return port === undefined || (more.length === 0 && /^\d{1,5}$/.test(port) && Number(port) <= 65535)
}

function invalid(
  text: string,
  reason = 'it is not [registry/]repository[:tag][@sha256:…]',
  hint?: string,
): BuilderError {
  const letters = /[A-Z]/.test(text)
    ? 'use lower-case letters'
    : 'use lower-case letters, digits and . _ - between them'
  return new BuilderError('INVALID', {
    operation: 'read image name',
    object: JSON.stringify(text),
    reason,
    hint: hint ?? letters,
  })
}

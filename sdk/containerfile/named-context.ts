import { BuilderError } from '../errors.js'
import { parseReference } from '../image/reference.js'
import { isGitAddress } from '../transport/git-address.js'
import { transportOf } from '../transport/transport-text.js'

/** What a named context is, before anything is opened. */
export type NamedContext =
  /** Files: a folder, an archive, a repository of git (see `openContext`), or `closure:PROGRAM,PROGRAM`. */
  | { readonly kind: 'files'; readonly name: string; readonly where: string }
  /** An image: a name, or `transport:path`, as `pull` takes it. */
  | { readonly kind: 'image'; readonly name: string; readonly image: string }

/**
 * Reads `NAME=VALUE` of `--build-context`. VALUE is a folder, `docker-image://NAME`, `container-image://NAME`,
 * `oci-layout://PATH[:TAG][@DIGEST]`, a transport and its path (`oci:…`, `docker://…`, `containers-storage:…`), the
 * address of a git repository or of an archive, or an archive's file. Throws `USAGE`.
 */
export function parseNamedContext(text: string): NamedContext {
  const at = text.indexOf('=')
  const name = contextName(text.slice(0, Math.max(0, at)))
  const value = text.slice(at + 1)
  if (at < 1 || name === undefined || value === '') throw usage(text, 'it is not NAME=VALUE')
  const image = imageOf(value, text)
  return image === undefined ? { kind: 'files', name, where: value } : { kind: 'image', name, image }
}

/** Named contexts by name; of two with the same name the last one counts. Throws `USAGE`. */
export function namedContexts(texts: readonly string[] = []): ReadonlyMap<string, NamedContext> {
  return new Map(texts.map(parseNamedContext).map((context) => [context.name, context]))
}

/**
 * The named context that a FROM, a `--from` or a mount's `from` means: it hides the stage and the image of that name. `alpine`,
 * `alpine:latest` and `docker.io/library/alpine` are one name. Source: Docker reference, docker buildx build,
 * "--build-context".
 */
export function findNamedContext(contexts: ReadonlyMap<string, NamedContext>, asked: string): NamedContext | undefined {
  if (contexts.size === 0) return undefined
  const name = contextName(asked)
  return name === undefined ? undefined : contexts.get(name)
}

/** Names are compared in lower case, an image's in its shortest form; undefined for what cannot be one. */
function contextName(text: string): string | undefined {
  const lower = text.trim().toLowerCase()
  if (lower === '') return undefined
  try {
    const { registry, repository, tag, digest } = parseReference(lower)
    const isHub = registry === undefined || registry === 'docker.io' || registry === 'index.docker.io'
    const path = isHub ? repository.replace(/^library\//, '') : `${registry}/${repository}`
    return `${path}${tag === undefined || tag === 'latest' ? '' : `:${tag}`}${digest ? `@${digest}` : ''}`
  } catch {
    return lower
  }
}

function imageOf(value: string, text: string): string | undefined {
  const [, scheme = '', rest = ''] = /^(docker-image|container-image|oci-layout):\/\/(.*)$/s.exec(value) ?? []
  if (scheme !== '' && rest === '') throw usage(text, `nothing stands behind ${scheme}://`)
  if (scheme === 'oci-layout') return layoutOf(rest)
  if (scheme !== '') return rest
  if (value.startsWith('target:')) throw usage(text, 'a target is of docker buildx bake, builder has none')
  if (value.startsWith('closure:') || isGitAddress(value) || /^https?:\/\//.test(value)) return undefined
  return transportOf(value) ? value : undefined
}

/** `PATH[:TAG][@DIGEST]` as the transport `oci:` has it. */
function layoutOf(rest: string): string {
  const [place = '', digest] = rest.split('@')
  const colon = place.lastIndexOf(':')
  const hasTag = colon > place.lastIndexOf('/')
  const path = hasTag ? place.slice(0, colon) : place
  const ref = digest === undefined ? (hasTag ? place.slice(colon + 1) : undefined) : `@${digest}`
  return ref === undefined ? `oci:${path}` : `oci:${path}:${ref}`
}

function usage(object: string, reason: string): BuilderError {
  const hint = 'write --build-context NAME=FOLDER, or NAME=docker-image://IMAGE'
  return new BuilderError('USAGE', { operation: 'read --build-context', object, reason, hint })
}

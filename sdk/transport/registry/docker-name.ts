import { parseReference, type Reference } from '../../image/reference.js'
import { usage } from '../location.js'
import { canonicalName } from './docker-hub.js'

/** A name with its registry, and a tag or a digest or both. */
export interface DockerName extends Reference {
  readonly registry: string
}

/**
 * Reads what follows `docker:` as skopeo and podman do: a name without a registry belongs to docker.io, and there one
 * without a folder to `library/`; no tag and no digest means `latest`. Throws `USAGE`, `INVALID`.
 */
export function parseDockerName(rest: string): DockerName {
  if (!rest.startsWith('//') || rest === '//')
    throw usage(`docker:${rest}`, 'it has no name behind //', 'write docker://registry/repository:tag')
  return fullName(parseReference(rest.slice(2)))
}

/** The same name with everything said that is meant. */
export function fullName({ registry = 'docker.io', repository, tag, digest }: Reference): DockerName {
  const { host, ...name } = canonicalName(registry, repository)
  return {
    registry: host,
    ...name,
    ...(tag !== undefined || digest === undefined ? { tag: tag ?? 'latest' } : {}),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** What a manifest is asked for by: the digest where there is one. */
export function manifestReference({ tag, digest }: DockerName): string {
  return digest ?? tag ?? 'latest'
}

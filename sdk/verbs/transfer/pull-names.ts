import { BuilderError } from '../../errors.js'
import { formatReference, parseReference } from '../../image/reference.js'
import { type DockerName, fullName } from '../../transport/registry/docker-name.js'
import type { RegistriesFiles } from '../../transport/registry/registries-conf.js'
import { shortNameCandidates } from '../../transport/registry/short-names.js'

/**
 * The full name that `docker://NAME` stands for, as the store keeps it: Docker Hub where no registry is named, `latest`
 * where neither tag nor digest is. Throws `USAGE`.
 */
export function remoteName(text: string): string {
  return formatReference(remoteReference(text))
}

/** {@link remoteName} taken apart. */
export function remoteReference(text: string): DockerName {
  const name = text.replace(/^docker:\/\//, '')
  try {
    return fullName(parseReference(name))
  } catch (cause) {
    throw new BuilderError('USAGE', {
      operation: 'read image name',
      object: JSON.stringify(text),
      reason: 'it is not docker://[REGISTRY/]NAME[:TAG][@sha256:…]',
      hint: 'use lower-case letters, and a number for a port; a file is named as oci-archive:FILE, oci:PATH and so on',
      cause,
    })
  }
}

/**
 * Full names that a user may mean, in the order in which to ask for them; none for what belongs to `localhost/`, where
 * the store keeps what was made here. Throws as {@link shortNameCandidates} does.
 */
export async function namesToFetch(image: string, files: RegistriesFiles): Promise<readonly string[]> {
  if (image.startsWith('docker://')) return [remoteName(image)]
  const candidates = await shortNameCandidates(image, files)
  return candidates.filter(({ registry }) => registry !== 'localhost').map((one) => formatReference(fullName(one)))
}

/** The name to give to an image that was fetched under a full name; none when it was pinned by a digest. */
export function nameToGive(fullName: string): string | undefined {
  return fullName.includes('@') ? undefined : fullName
}

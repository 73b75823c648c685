import type { ContainerRecord } from './container-record.js'

/** What an image says of the one it began with. Source: OCI image-spec, annotations.md, base image annotations. */
export function baseAnnotations({ from }: Pick<ContainerRecord, 'from'>): Readonly<Record<string, string>> {
  if (!from) return {}
  return {
    'org.opencontainers.image.base.name': from.name,
    'org.opencontainers.image.base.digest': from.manifestDigest,
  }
}

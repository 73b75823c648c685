import { fullVersion, type PackageFacts } from './installed-package.js'
import type { Distribution } from './os-release.js'

/**
 * The package URL of an installed package: `pkg:rpm/fedora/bash@5.2.26-3.fc40?arch=x86_64&distro=fedora-40`.
 * Source: https://github.com/package-url/purl-spec, and its definitions of the types rpm and deb.
 */
export function packageUrl(one: PackageFacts, distribution: Distribution | undefined): string {
  const { type, epoch } = one
  const namespace = distribution ? `/${encoded(namespaceOf(distribution.id))}` : ''
  // A deb's epoch is a part of its version, an rpm's is a qualifier.
  const version = type === 'deb' || epoch === undefined ? fullVersion(one) : fullVersion(withoutEpoch(one))
  const { id, version: release } = distribution ?? {}
  const qualifiers = {
    arch: one.arch,
    ...(id === undefined ? {} : { distro: release === undefined ? id : `${id}-${release}` }),
    ...(type === 'rpm' && epoch !== undefined ? { epoch: `${epoch}` } : {}),
  }
  const query = Object.entries(qualifiers).map(([key, value]) => `${key}=${encoded(value)}`)
  const name = type === 'deb' ? one.name.toLowerCase() : one.name
  return `pkg:${type}${namespace}/${encoded(name)}@${encoded(version)}?${query.join('&')}`
}

/** The vendors' names where they differ from os-release(5)'s. */
function namespaceOf(id: string): string {
  if (id === 'rhel') return 'redhat'
  return id.startsWith('opensuse-') ? 'opensuse' : id
}

function withoutEpoch({ epoch: _, ...rest }: PackageFacts): PackageFacts {
  return rest
}

/** "Character encoding": letters, digits, `.-_~` and the colon stay. */
function encoded(text: string): string {
  const kept = /[A-Za-z0-9.\-_~:]/
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte)
      return kept.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}

import { BuilderError } from '../errors.js'
import { inOrder } from '../image/table.js'
import type { ImageFiles } from '../store/image-files.js'
import { dpkgPlaces, readDpkgDatabases } from './dpkg-status.js'
import { fullVersion, type InstalledPackage } from './installed-package.js'
import { type Distribution, readDistribution } from './os-release.js'
import { packageUrl } from './package-url.js'
import { type PackageDatabase, readRpmDatabase, rpmFolders } from './rpm-database.js'

/** What the package databases of an image say. */
export interface Installed {
  /** Absent when the image has no os-release(5). */
  readonly distribution?: Distribution
  /** The databases that were read: where each is in the image, and its form. */
  readonly databases: readonly Pick<PackageDatabase, 'path' | 'kind'>[]
  /** By name, version, architecture. */
  readonly packages: readonly InstalledPackage[]
}

/**
 * Reads the package databases of an image: rpm's in each of its forms, dpkg's, and those of images without dpkg.
 * Nothing of the image is executed. `name` is the image's, for messages.
 *
 * Throws `NOT_FOUND` when it has none, `INVALID` when one is damaged, `UNSAFE`, `SYSTEM`.
 */
export function installedPackages(files: ImageFiles, name: string): Installed {
  const rpm = readRpmDatabase(files)
  const found = [...(rpm ? [rpm] : []), ...readDpkgDatabases(files)]
  if (found.length === 0) throw noDatabase(name)
  const distribution = readDistribution(files)
  const packages = found.flatMap((database) =>
    database.packages.map((one) => ({ ...one, purl: packageUrl(one, distribution) })),
  )
  return {
    ...(distribution ? { distribution } : {}),
    databases: found.map(({ path, kind }) => ({ path, kind })),
    packages: packages.sort(inNames),
  }
}

function inNames(a: InstalledPackage, b: InstalledPackage): number {
  return inOrder(a.name, b.name) || inOrder(fullVersion(a), fullVersion(b)) || inOrder(a.arch, b.arch)
}

function noDatabase(object: string): BuilderError {
  const places = [...rpmFolders, dpkgPlaces.status, dpkgPlaces.folder]
  return new BuilderError('NOT_FOUND', {
    operation: 'packages',
    object,
    reason: `it has no database of packages: looked for ${places.join(', ')}`,
    hint: 'an image without a package manager cannot be listed',
  })
}

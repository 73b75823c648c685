/** A package that a database of an image says is installed. Fields that the database does not have are absent. */
export interface InstalledPackage {
  readonly type: 'rpm' | 'deb'
  readonly name: string
  readonly epoch?: number
  /** Without epoch and release. */
  readonly version: string
  /** rpm's release, or the Debian revision. */
  readonly release?: string
  /** As the distribution spells it: `x86_64`, `amd64`, `noarch`, `all`. */
  readonly arch: string
  /** The source package that it was built from, and the version of that with its release. */
  readonly source?: string
  readonly sourceVersion?: string
  /** As the package states it; need not be an SPDX expression. dpkg's database has none. */
  readonly license?: string
  readonly vendor?: string
  readonly maintainer?: string
  readonly summary?: string
  readonly homepage?: string
  /** Bytes of its files. */
  readonly size?: number
  /** RFC 3339. */
  readonly installed?: string
  /** `sha256:…` or `sha1:…` of its header, as rpm's database has it: what `rpm -q --qf '%{SHA256HEADER}'` prints. */
  readonly headerDigest?: string
  /** Source: https://github.com/package-url/purl-spec */
  readonly purl: string
}

/** The same before its distribution is known. */
export type PackageFacts = Omit<InstalledPackage, 'purl'>

/** Version as the distribution's tools print it: `1:2.0-3`. */
export function fullVersion({ epoch, version, release }: PackageFacts): string {
  return `${epoch === undefined ? '' : `${epoch}:`}${version}${release === undefined ? '' : `-${release}`}`
}

/** A package as the plugin for dnf tells it. */
export interface DnfPackage {
  readonly name: string
  readonly epoch: number
  readonly version: string
  readonly release: string
  readonly arch: string
  readonly repository: string
  readonly location: string
  /** `sha256:…`; null while it is not known. */
  readonly checksum: string | null
  /** Bytes of its file. */
  readonly bytes: number
}

/** What the plugin for dnf tells, see dnf-plugin.ts. */
export type DnfEvent =
  | { readonly event: 'resolved'; readonly packages: readonly DnfPackage[]; readonly removed: readonly string[] }
  | { readonly event: 'bytes'; readonly bytes: number; readonly total: number }
  | {
      readonly event: 'downloaded'
      readonly packages: readonly (DnfPackage & { readonly checksum: string; readonly path: string })[]
      /** Seconds since 1970 that the transaction counts as. */
      readonly epoch: number
    }
  | { readonly event: 'step'; readonly package: string; readonly done: number; readonly total: number }
  | { readonly event: 'text'; readonly text: string }
  | { readonly event: 'ended' }
  | { readonly event: 'failed'; readonly text: string }
  | { readonly event: 'devices'; readonly package: string; readonly paths: readonly string[] }
  | {
      readonly event: 'missing'
      readonly kind: 'user' | 'group'
      readonly name: string
      readonly packages: readonly string[]
    }
  | DnfUnpackFailure
  | { readonly event: 'gone'; readonly packages: readonly DnfPackage[] }
  | { readonly event: 'other'; readonly missing: readonly DnfPackage[]; readonly more: readonly DnfPackage[] }

/** A file that could not be unpacked, and whose it should have been. */
export interface DnfUnpackFailure {
  readonly event: 'unpack'
  /** Empty when no package has the file. */
  readonly package: string
  readonly path: string
  readonly reason: string
  readonly user?: string
  readonly group?: string
  readonly uid?: number | null
  readonly gid?: number | null
}

/** Reads a line of the plugin's; undefined for one that is none. */
export function parseDnfEvent(line: string): DnfEvent | undefined {
  try {
    return JSON.parse(line) as DnfEvent
  } catch {
    return undefined
  }
}

/** `httpd-1:2.4.1-1.x86_64`, without an epoch of 0. */
export function nevraOf({
  name,
  epoch,
  version,
  release,
  arch,
}: Pick<DnfPackage, 'name' | 'epoch' | 'version' | 'release' | 'arch'>): string {
  return `${name}-${epoch ? `${epoch}:` : ''}${version}-${release}.${arch}`
}

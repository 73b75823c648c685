import { canonicalJson } from '../image/config.js'
import { digestOf } from '../image/digest.js'
import type { InstalledPackage } from './installed-package.js'
import type { Installed } from './installed-packages.js'

/** The packages in an image or a container. */
export interface PackageList extends Installed {
  readonly of: PackageHolder
}

/** What the packages are in. */
export interface PackageHolder {
  readonly type: 'image' | 'container'
  /** The full name under which it was asked for; its ID when it was asked for by that. */
  readonly name: string
  /** 64 hexadecimal digits. */
  readonly id: string
  /** RFC 3339. */
  readonly created?: string
}

/** What a document says of how it was made. */
export interface DocumentSource {
  /** Version of this program. */
  readonly version: string
  /** Seconds since 1970, for an image that has no time. */
  readonly epoch?: number
}

/**
 * A UUID (RFC 9562, version 8) that says what a document is of: the same list gives the same one, another list another.
 */
export function documentUuid(list: PackageList, form: string, { version }: DocumentSource): string {
  const hex = digestOf(canonicalJson({ form, version, list })).slice('sha256:'.length)
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-')
}

/** The time that a document says it was made: the image's, else the source's, else 1970. Whole seconds in UTC. */
export function documentTime({ of }: PackageList, { epoch = 0 }: DocumentSource): string {
  const created = of.created === undefined ? Number.NaN : Date.parse(of.created)
  const time = Number.isNaN(created) ? epoch * 1000 : created
  return new Date(Math.floor(time / 1000) * 1000).toISOString().replace('.000Z', 'Z')
}

/** An address as both formats want it; undefined for what is none. */
export function webAddress(text: string | undefined): string | undefined {
  const found = text !== undefined && /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text).href : undefined
  return found && found.length <= 2048 ? found : undefined
}

/** Each package with a number that tells apart those of one package URL. */
export function counted(list: PackageList): readonly (readonly [InstalledPackage, number])[] {
  const seen = new Map<string, number>()
  return list.packages.map((one) => {
    const count = (seen.get(one.purl) ?? 0) + 1
    seen.set(one.purl, count)
    return [one, count] as const
  })
}

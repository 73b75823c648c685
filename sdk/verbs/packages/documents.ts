import { asCycloneDx, type CycloneDxDocument } from '../../distro/cyclonedx.js'
import type { PackageList } from '../../distro/package-list.js'
import { asSpdx, type SpdxDocument } from '../../distro/spdx.js'
import { epochOf } from '../epoch.js'
import { packageVersion } from '../version.js'

/**
 * A list of packages as an SPDX 2.3 document, for `JSON.stringify`. The same image gives the same document: its time is the
 * image's, else `SOURCE_DATE_EPOCH`'s. Throws `USAGE` when that is no number.
 *
 * @example
 * ```ts
 * import { packages, spdxDocument } from 'builder-sdk'
 * const text = JSON.stringify(spdxDocument(await packages('web')))
 * ```
 */
export function spdxDocument(list: PackageList): SpdxDocument {
  return asSpdx(list, sourceOf())
}

/**
 * A list of packages as a CycloneDX 1.6 document, for `JSON.stringify`. The same image gives the same document: its time is
 * the image's, else `SOURCE_DATE_EPOCH`'s. Throws `USAGE` when that is no number.
 *
 * @example
 * ```ts
 * import { cycloneDxDocument, packages } from 'builder-sdk'
 * const text = JSON.stringify(cycloneDxDocument(await packages('web')))
 * ```
 */
export function cycloneDxDocument(list: PackageList): CycloneDxDocument {
  return asCycloneDx(list, sourceOf())
}

function sourceOf() {
  const epoch = epochOf({}, 'packages')
  return { version: packageVersion, ...(epoch === undefined ? {} : { epoch }) }
}

import { fullVersion, type InstalledPackage } from '../distro/installed-package.js'
import { installedPackages } from '../distro/installed-packages.js'
import type { PackageList } from '../distro/package-list.js'
import { BuilderError, printable } from '../errors.js'
import { renderRows } from '../image/go-template.js'
import { nearestWord } from '../image/near-word.js'
import { formatSize, formatTable } from '../image/table.js'
import { type ContainerRecord, findContainer } from '../store/containers.js'
import { filesOfContainer, filesOfLayers } from '../store/image-files.js'
import { findImage, type Image, nameMeant } from '../store/images.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'
import { cycloneDxDocument, spdxDocument } from './packages/documents.js'

/** Options of {@link packages}. */
export interface PackagesOptions extends GlobalOptions {
  /**
   * How to print: a table, JSON, an SPDX 2.3 or CycloneDX 1.6 document in JSON, or each package by a Go template with .Name,
   * .Version, .Epoch, .Release, .Arch, .Type, .Source, .SourceVersion, .License, .Vendor, .Maintainer, .Summary, .Homepage, .Size,
   * .Installed, .HeaderDigest and .PURL. .Version is the full one, with epoch and release.
   * @placeholder table|json|spdx|cyclonedx|TEMPLATE
   * @default table
   */
  format?: string
  /**
   * Leave the column headings out.
   * @short n
   */
  noheading?: boolean
}

/**
 * Lists the packages that are installed in an image or a container.
 *
 * It reads the databases of rpm (SQLite, ndb, Berkeley DB), of dpkg, and of images that have Debian packages without dpkg.
 * Nothing of the image is executed, nothing is mounted, and nothing of the host's package managers is needed. The same image
 * gives the same documents, byte for byte. Public keys that rpm keeps as `gpg-pubkey` are not listed.
 *
 * Throws `NOT_FOUND` for an unknown name, and for an image that has no database at all; `INVALID` for a damaged database;
 * `USAGE` for an unknown format.
 *
 * @verb
 * @where outside
 * @stdout A table; what --format says.
 * @param name - Name or ID of a container or an image.
 * @example
 * ```sh
 * builder packages web
 * builder packages --format cyclonedx web > web.cdx.json
 * ```
 * @example
 * ```ts
 * import { packages } from 'builder-sdk'
 * const list = await packages('web')
 * console.log(list.packages.map(({ purl }) => purl))
 * ```
 */
export async function packages(name: string, options: PackagesOptions = {}): Promise<PackageList> {
  checkFormat(options.format)
  const store = await openStore(options)
  const record = await findContainer(store, name, 'packages').catch(orAbsent)
  if (record) return { of: ofContainer(record), ...installedPackages(filesOfContainer(store, record), name) }
  const image = await findImage(store, name, 'packages').catch(neither(name))
  return { of: ofImage(image, name), ...installedPackages(filesOfLayers(store, image.config.rootfs.diff_ids), name) }
}

/** What the shell door prints. */
export function present(result: PackageList, options: PackagesOptions): string {
  const { format = 'table', noheading } = options
  if (format === 'json') return JSON.stringify(result, null, 2)
  if (format === 'spdx') return JSON.stringify(spdxDocument(result), null, 2)
  if (format === 'cyclonedx') return JSON.stringify(cycloneDxDocument(result), null, 2)
  if (format !== 'table') return renderRows(format, result.packages.map(row))
  const cells = result.packages.map(row).map((one) => [one.Name, one.Version, one.Arch, one.HumanSize, one.License])
  return formatTable(noheading ? cells : [['NAME', 'VERSION', 'ARCH', 'SIZE', 'LICENSE'], ...cells])
}

const formats = ['table', 'json', 'spdx', 'cyclonedx']

function checkFormat(format: string | undefined): void {
  if (format === undefined || formats.includes(format) || format.includes('{{')) return
  const near = nearestWord(format, formats)
  const hint = `write ${formats.join(', ')}, or a Go template such as '{{.Name}} {{.Version}}'`
  throw new BuilderError('USAGE', {
    operation: 'packages --format',
    object: JSON.stringify(format),
    reason: 'there is no such format',
    hint: near === undefined ? hint : `did you mean ${near}?`,
  })
}

function ofContainer({ name, id, config }: ContainerRecord): PackageList['of'] {
  return { type: 'container', name, id, ...(config.created === undefined ? {} : { created: config.created }) }
}

function ofImage({ id, names, config }: Image, asked: string): PackageList['of'] {
  const created = config.created === undefined ? {} : { created: config.created }
  return { type: 'image', name: nameMeant(names, asked) ?? id, id, ...created }
}

/** What is in an image could write to the reader's terminal. */
function row(one: InstalledPackage) {
  const text = (value: string | number | undefined) => printable(`${value ?? ''}`).replaceAll('\n', ' ')
  return {
    Type: one.type,
    Name: text(one.name),
    Version: text(fullVersion(one)),
    Epoch: text(one.epoch),
    Release: text(one.release),
    Arch: text(one.arch),
    Source: text(one.source),
    SourceVersion: text(one.sourceVersion),
    License: text(one.license),
    Vendor: text(one.vendor),
    Maintainer: text(one.maintainer),
    Summary: text(one.summary),
    Homepage: text(one.homepage),
    Size: text(one.size),
    HumanSize: one.size === undefined ? '' : formatSize(one.size),
    Installed: text(one.installed),
    HeaderDigest: text(one.headerDigest),
    PURL: one.purl,
  }
}

function orAbsent(error: unknown): undefined {
  if (error instanceof BuilderError && error.code === 'NOT_FOUND') return undefined
  throw error
}

function neither(object: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof BuilderError) || error.code !== 'NOT_FOUND') throw error
    const isNear = error.hint?.startsWith('did you mean')
    const hint = isNear ? error.hint : 'builder containers and builder images list them'
    throw new BuilderError('NOT_FOUND', {
      operation: 'packages',
      object,
      reason: 'no container or image has this name',
      ...(hint === undefined ? {} : { hint }),
    })
  }
}

/**
 * What dpkg's databases say: one file of paragraphs, or one file a package as images without dpkg have it.
 * Source: Debian Policy, "Syntax of control files"; dpkg(1), "Package states"; deb-version(7).
 */
import type { ImageFile, ImageFiles } from '../store/image-files.js'
import { checkDatabaseSize, damagedDatabase } from './damaged.js'
import type { PackageFacts } from './installed-package.js'
import type { PackageDatabase } from './rpm-database.js'

/** dpkg's own database, and the folder of the images that have files of packages but no dpkg. */
export const dpkgPlaces = { status: '/var/lib/dpkg/status', folder: '/var/lib/dpkg/status.d' } as const

/** The databases of an image, none when it has none. Throws `INVALID`, `UNSAFE`. */
export function readDpkgDatabases(files: ImageFiles): readonly PackageDatabase[] {
  const found: PackageDatabase[] = []
  using status = files.open(dpkgPlaces.status)
  if (status) found.push({ path: status.path, kind: 'dpkg', packages: [...packagesOf(status)] })
  const names = files.names(dpkgPlaces.folder).filter((name) => !/\.(?:md5sums|preinst|postinst|list)$/.test(name))
  if (names.length > mostPackages) throw damagedDatabase(dpkgPlaces.folder, `it has ${names.length} files`)
  const single = names.flatMap((name) => {
    using file = files.open(`${dpkgPlaces.folder}/${name}`)
    return file ? [...packagesOf(file)] : []
  })
  const path = files.resolve(dpkgPlaces.folder) ?? dpkgPlaces.folder
  if (names.length > 0) found.push({ path, kind: 'dpkg-status.d', packages: single })
  return found
}

const mostPackages = 100_000

function* packagesOf(file: ImageFile): Generator<PackageFacts, void, undefined> {
  checkDatabaseSize(file.path, file.size, 64)
  const text = file.read(0, file.size).toString('utf8')
  if (text.includes('\0')) throw damagedDatabase(file.path, 'it is not text')
  for (const paragraph of text.split(/\n\s*\n/)) {
    const fields = fieldsOf(paragraph, file.path)
    // Without this field the file lists only what is there.
    const state = fields.get('status')?.split(' ')[2]
    if (fields.size > 0 && state !== 'not-installed' && state !== 'config-files') yield packageOf(fields, file.path)
  }
}

type Fields = ReadonlyMap<string, string>

/** Names in small letters. Of a field of several lines only the first is of use here. */
function fieldsOf(paragraph: string, path: string): Fields {
  const fields = new Map<string, string>()
  for (const line of paragraph.split('\n')) {
    if (line.trim() === '' || /^[ \t#]/.test(line)) continue
    const at = line.indexOf(':')
    if (at < 1) throw damagedDatabase(path, `the line ${JSON.stringify(line.slice(0, 60))} is no field`)
    fields.set(line.slice(0, at).toLowerCase(), line.slice(at + 1).trim())
  }
  return fields
}

function packageOf(fields: Fields, path: string): PackageFacts {
  const [name, full] = [fields.get('package'), fields.get('version')]
  if (!name || !full)
    throw damagedDatabase(path, `${name ? `package ${name} has no version` : 'a package has no name'}`)
  const [, epoch, version = '', release] = /^(?:(\d+):)?(.*?)(?:-([^-]*))?$/s.exec(full) ?? []
  const [, source = name, sourceVersion = full] = /^(\S+)(?: \((.*)\))?$/.exec(fields.get('source') ?? '') ?? []
  const optional = {
    maintainer: fields.get('maintainer'),
    summary: fields.get('description'),
    homepage: fields.get('homepage'),
  }
  const size = Number(fields.get('installed-size') ?? '')
  return {
    type: 'deb',
    name,
    ...(epoch === undefined ? {} : { epoch: Number(epoch) }),
    version,
    ...(release === undefined ? {} : { release }),
    arch: fields.get('architecture') ?? 'all',
    source,
    sourceVersion,
    ...(Object.fromEntries(Object.entries(optional).filter(([, text]) => text)) as Partial<PackageFacts>),
    ...(Number.isSafeInteger(size) && size > 0 ? { size: size * 1024 } : {}),
  }
}

import type { ImageFile, ImageFiles } from '../store/image-files.js'
import { damagedDatabase } from './damaged.js'
import type { PackageFacts } from './installed-package.js'
import { berkeleyValues } from './rpm-berkeley.js'
import { packageOfHeader } from './rpm-header.js'
import { ndbBlobs } from './rpm-ndb.js'
import { sqlitePages } from './sqlite-pages.js'
import { rowsOfTable } from './sqlite-table.js'

/** Where rpm's database is, the newer place first. The older one is often a link to it. */
export const rpmFolders = ['/usr/lib/sysimage/rpm', '/var/lib/rpm', '/usr/share/rpm'] as const

/** A database and the packages that it lists. */
export interface PackageDatabase {
  /** The path of its file in the image. */
  readonly path: string
  readonly kind: 'rpm-sqlite' | 'rpm-ndb' | 'rpm-bdb' | 'dpkg' | 'dpkg-status.d'
  readonly packages: readonly PackageFacts[]
}

/** The first rpm database of an image, in whatever form it is; undefined when there is none. Throws `INVALID`, `UNSAFE`. */
export function readRpmDatabase(files: ImageFiles): PackageDatabase | undefined {
  for (const folder of rpmFolders)
    for (const [name, form] of Object.entries(forms)) {
      using file = files.open(`${folder}/${name}`)
      // rpm makes empty files of a form that it then does not use.
      if (!file || file.size === 0) continue
      return { path: file.path, kind: form.kind, packages: [...packagesOf(file.path, form.headers(file, files))] }
    }
  return undefined
}

interface Form {
  readonly kind: PackageDatabase['kind']
  readonly headers: (file: ImageFile, files: ImageFiles) => Iterable<Buffer>
}

/** By the name of the file. */
const forms: Readonly<Record<string, Form>> = {
  'rpmdb.sqlite': { kind: 'rpm-sqlite', headers: sqliteHeaders },
  'Packages.db': { kind: 'rpm-ndb', headers: ndbBlobs },
  Packages: { kind: 'rpm-bdb', headers: berkeleyValues },
}

/** `CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)`: rpm's lib/backend/sqlite.c. */
function* sqliteHeaders(file: ImageFile, files: ImageFiles): Iterable<Buffer> {
  using log = files.open(`${file.path}-wal`)
  const pages = sqlitePages(file, log)
  for (const [, blob] of rowsOfTable(pages, 'Packages')) {
    if (!Buffer.isBuffer(blob)) throw damagedDatabase(file.path, 'a row of Packages has no header')
    yield blob
  }
}

/** Overlapping rows could claim far more than the file has. */
function* packagesOf(path: string, headers: Iterable<Buffer>): Iterable<PackageFacts> {
  let bytes = 0
  for (const header of headers) {
    bytes += header.length
    if (bytes > mostBytes) throw damagedDatabase(path, 'its headers have more than 1 GiB')
    const one = packageOfHeader(header, path)
    if (one) yield one
  }
}

const mostBytes = 2 ** 30

import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { asBuilderError, BuilderError } from '../../errors.js'
import { namesIn, readIfThere } from './configuration-file.js'
import { configHome, home } from './configuration-places.js'

/**
 * Folders with certificates for a host: the one that was named, else the first of certs.d (containers-certs.d(5)) that is
 * there. Throws `NOT_FOUND` for a named folder that is not there.
 */
export async function certDirsFor(host: string, named?: string): Promise<readonly string[]> {
  if (named !== undefined) {
    if (await isFolder(named)) return [named]
    throw new BuilderError('NOT_FOUND', {
      operation: 'read certificates',
      object: named,
      reason: 'there is no such folder',
      hint: 'name a folder with *.crt, *.cert and *.key files with --cert-dir',
    })
  }
  const user = [...new Set([join(configHome(), 'containers'), join(home(), '.config/containers')])]
  for (const place of [...user, '/etc/containers', '/etc/docker']) {
    const folder = join(place, 'certs.d', host)
    if (await isFolder(folder)) return [folder]
  }
  return []
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** What node:tls takes: the authorities to trust, and an own certificate where the folders have one. PEM texts. */
export interface Certificates {
  readonly ca: readonly string[]
  readonly cert?: string
  readonly key?: string
}

/**
 * Reads the certificates of folders; their authorities count beside those that the machine trusts. Throws `INVALID` for a
 * *.cert without its *.key and for a file that is not PEM.
 */
export async function readCertificates(certDirs: readonly string[]): Promise<Certificates> {
  const ca: string[] = [...(await systemAuthorities())]
  let pair: { readonly cert: string; readonly key: string } | undefined
  for (const folder of certDirs) {
    const names = await namesIn(folder, 'read certificates')
    for (const name of names.filter((one) => one.endsWith('.crt'))) ca.push(await pem(join(folder, name)))
    const own = names.find((one) => one.endsWith('.cert'))
    refuseLoneKeys(folder, names)
    if (own !== undefined && pair === undefined) {
      const base = own.slice(0, -'.cert'.length)
      pair = { cert: await pem(join(folder, own)), key: await pem(join(folder, `${base}.key`)) }
    }
  }
  return { ca, ...pair }
}

/** A certificate and its key carry the same name (containers-certs.d(5), Directory Structure). */
function refuseLoneKeys(folder: string, names: readonly string[]): void {
  for (const [has, lacks] of [
    ['.cert', '.key'],
    ['.key', '.cert'],
  ] as const)
    for (const name of names.filter((one) => one.endsWith(has))) {
      const other = `${name.slice(0, -has.length)}${lacks}`
      if (!names.includes(other))
        throw wrong(join(folder, name), `${other} is not beside it`, `put ${other} there, or take ${name} away`)
    }
}

async function pem(path: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw asBuilderError(error, 'read certificate', path)
  }
  if (text.includes('-----BEGIN ')) return text
  throw wrong(path, 'it is not in PEM form', 'openssl x509 -inform der writes PEM from DER')
}

function wrong(path: string, reason: string, hint: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'read certificate', object: path, reason, hint })
}

/** What the machine trusts, for a company's own authority is there and not in Node. Node's list where there is none. */
async function systemAuthorities(): Promise<readonly string[]> {
  const places = process.env.SSL_CERT_FILE ? [process.env.SSL_CERT_FILE] : bundles
  for (const place of places) {
    const text = await readIfThere(place, 'read certificates')
    if (text !== undefined) return [text]
  }
  return rootCertificates
}

/** Debian, Fedora, openSUSE, Alpine. */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

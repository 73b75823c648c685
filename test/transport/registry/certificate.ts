import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { host } from '../sample.js'

/** A certificate authority of the test's own, and what it signed. Paths of PEM files. */
export interface Authority {
  /** Folder with the authority's `ca.crt` alone, for --cert-dir. */
  readonly folder: string
  /** A certificate for 127.0.0.1, localhost and registry.example. */
  readonly server: { readonly certificate: string; readonly key: string }
  /** A folder with `ca.crt` and a client's certificate with its key. */
  readonly clientFolder: string
  readonly certificate: string
}

/** Makes an authority in a folder, with openssl. */
export function makeAuthority(folder: string): Authority {
  const at = (...parts: string[]) => join(folder, ...parts)
  for (const part of ['trusted', 'client']) mkdirSync(at(part), { recursive: true })
  const openssl = (...args: string[]) => host(['openssl', ...args])
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.crt'),
    '-subj',
    '/CN=the test',
    '-days',
    '2',
  )
  const sign = (name: string, certificate: string, key: string, extension: string) => {
    writeFileSync(at('extension'), extension)
    openssl('req', ...newKey, '-keyout', key, '-out', at('request'), '-subj', `/CN=${name}`)
    const by = [
      '-CA',
      at('ca.crt'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      at('extension'),
    ]
    openssl('x509', '-req', '-in', at('request'), ...by, '-out', certificate)
  }
  const server = { certificate: at('server.crt'), key: at('server.key') }
  sign('localhost', server.certificate, server.key, 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:registry.example\n')
  sign('client', at('client/me.cert'), at('client/me.key'), 'extendedKeyUsage=clientAuth\n')
  for (const part of ['trusted', 'client']) writeFileSync(at(part, 'ca.crt'), readFileSync(at('ca.crt')))
  return { folder: at('trusted'), server, clientFolder: at('client'), certificate: at('ca.crt') }
}

import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { tempDir } from '../../lane.js'
import { makeAuthority } from '../registry/certificate.js'
import { startRegistry } from '../registry/server.js'

/** A real registry server on loopback that wants a login. */
export interface TestRegistry {
  /** `127.0.0.1:port`. */
  readonly host: string
  /** A folder with ca.crt, as --cert-dir takes it. */
  readonly certs: string
}

export interface RegistrySetting {
  readonly user: string
  readonly password: string
  /** Plain HTTP. */
  readonly plain?: boolean
  /** URL of a token server, in the place of Basic. */
  readonly realm?: string
}

/** Starts a registry that ends with the test. */
export async function registryWithLogin(t: TestContext, setting: RegistrySetting): Promise<TestRegistry> {
  const folder = tempDir(t)
  const authority = makeAuthority(folder)
  const { user, password, plain, realm } = setting
  const server = await startRegistry(join(folder, 'registry'), {
    ...(plain ? {} : { tls: authority.server }),
    ...(realm === undefined
      ? { login: { user, password } }
      : { tokens: { realm, certificate: authority.certificate, issuer: 'test' } }),
  })
  t.after(() => server[Symbol.asyncDispose]())
  return { host: server.host, certs: authority.folder }
}

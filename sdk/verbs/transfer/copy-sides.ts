import type { RegistryOptions } from '../../transport/registry/access.js'
import type { RegistriesFiles } from '../../transport/registry/registries-conf.js'

/** How the registries on both sides of a copy are reached: `src` is where the image comes from, `dest` where it goes. */
export interface SidesOptions {
  /**
   * File with the logins for both sides; default: auth.json where login writes it, then docker's config.json.
   * @placeholder FILE
   */
  authfile?: string
  /**
   * File with the logins for the source.
   * @placeholder FILE
   */
  srcAuthfile?: string
  /**
   * File with the logins for the destination.
   * @placeholder FILE
   */
  destAuthfile?: string
  /**
   * User and password for the source; better log in, for others on the machine can read a command line.
   * @placeholder USER[:PASSWORD]
   */
  srcCreds?: string
  /**
   * User and password for the destination.
   * @placeholder USER[:PASSWORD]
   */
  destCreds?: string
  /** Check the certificates of both sides; `--tls-verify=false` also allows plain HTTP. */
  tlsVerify?: boolean
  /** Check the source's certificate. */
  srcTlsVerify?: boolean
  /** Check the destination's certificate. */
  destTlsVerify?: boolean
  /**
   * Folder with *.crt, *.cert and *.key for the source.
   * @placeholder DIR
   */
  srcCertDir?: string
  /**
   * Folder with *.crt, *.cert and *.key for the destination.
   * @placeholder DIR
   */
  destCertDir?: string
}

/** What openSource and openSink want to know of a registry. */
export type Access = RegistryOptions & RegistriesFiles

/** How the source is reached, and how the destination. */
export function sidesOf(options: SidesOptions & RegistriesFiles): {
  readonly source: Access
  readonly destination: Access
} {
  const { registriesConf, registriesConfDir, shortNameAliasConf, authfile, tlsVerify } = options
  const both = { registriesConf, registriesConfDir, shortNameAliasConf }
  const source = {
    authfile: options.srcAuthfile ?? authfile,
    creds: options.srcCreds,
    tlsVerify: options.srcTlsVerify ?? tlsVerify,
    certDir: options.srcCertDir,
  }
  const destination = {
    authfile: options.destAuthfile ?? authfile,
    creds: options.destCreds,
    tlsVerify: options.destTlsVerify ?? tlsVerify,
    certDir: options.destCertDir,
  }
  return { source: defined({ ...both, ...source }), destination: defined({ ...both, ...destination }) }
}

function defined(fields: { readonly [K in keyof Access]: Access[K] | undefined }): Access {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** How a registry is reached: the flags that pull, push and their like share. */
export interface RegistryOptions {
  /**
   * File with the logins; default: auth.json where login writes it, then docker's config.json.
   * @placeholder FILE
   */
  authfile?: string
  /**
   * User and password for the registry; better log in, for others on the machine can read a command line.
   * @placeholder USER[:PASSWORD]
   */
  creds?: string
  /**
   * Check the registry's certificate; `--tls-verify=false` also allows plain HTTP.
   * @negatable
   */
  tlsVerify?: boolean
  /**
   * Folder with *.crt (authorities), *.cert and *.key (own certificate) for the registry.
   * @placeholder DIR
   */
  certDir?: string
}

/** One place that may serve a repository: the registry itself or a mirror of it. */
export interface Endpoint {
  /** `host[:port]`, where requests go. */
  readonly host: string
  /** The repository there, without the host: `library/debian`. */
  readonly repository: string
  /** True when a wrong certificate and plain HTTP are accepted. */
  readonly insecure: boolean
  /** Folders with certificates, those of certs.d that exist, in order of precedence. */
  readonly certDirs: readonly string[]
  /** `host[:port]/repository` as the user named it: credentials belong to it unless the endpoint is a mirror. */
  readonly isMirror: boolean
}

/** What a registry asks for. An identity token is a refresh token of the token server. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'token'; readonly username: string; readonly identityToken: string }

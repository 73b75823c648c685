/** Options that every verb takes; on the command line they may also stand before the verb, as buildah's do. */
export interface GlobalOptions {
  /**
   * The store's folder. Default: `BUILDER_ROOT`, else `$XDG_DATA_HOME/builder`; as root `/var/lib/builder`.
   * @placeholder DIR
   */
  root?: string
  /**
   * The folder for what lives only as long as the machine runs. Default: `$XDG_RUNTIME_DIR/builder`.
   * @placeholder DIR
   */
  runroot?: string
  /**
   * How layers are put together. Default: the first of these that works here (see `builder info`).
   * `vfs`, buildah's word for it, is the same as `copy`.
   */
  storageDriver?: 'overlay' | 'fuse-overlayfs' | 'copy' | 'vfs'
  /**
   * Accepted for buildah's scripts; builder's store has no driver options.
   * @placeholder OPTION
   */
  storageOpt?: readonly string[]
  /**
   * The registries.conf to use instead of the system's.
   * @placeholder FILE
   */
  registriesConf?: string
  /**
   * The registries.conf.d folder to use instead of the system's.
   * @placeholder DIR
   */
  registriesConfDir?: string
  /**
   * The file of short-name aliases to use instead of the user's.
   * @placeholder FILE
   */
  shortNameAliasConf?: string
  /** How much to say on stderr; `debug` adds the causes of an error. */
  logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'panic'
  /**
   * Stops the verb; nothing half-made stays behind.
   * @sdk
   */
  signal?: AbortSignal
}

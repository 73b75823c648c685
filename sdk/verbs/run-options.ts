import type { GlobalOptions } from './global.js'

/** Options of the verb `run`. */
export interface RunOptions extends GlobalOptions {
  /**
   * Environment variable for this command: NAME=value, or NAME (taken from here).
   * @short e
   * @placeholder NAME=VALUE
   */
  env?: readonly string[]
  /**
   * The same for what is no secret: the image's history tells it where every verb is told (from --history), as it tells an ARG.
   * @placeholder NAME=VALUE
   */
  buildArg?: readonly string[]
  /**
   * User that the command runs as, by name or number.
   * @placeholder USER[:GROUP]
   */
  user?: string
  /**
   * Folder that the command starts in.
   * @placeholder PATH
   */
  workingdir?: string
  /**
   * Folder or file of the host that the command sees, as HOST:CONTAINER[:ro].
   * @short v
   * @placeholder HOST:CONTAINER[:OPTIONS]
   */
  volume?: readonly string[]
  /**
   * Mount for this command: type=bind,src=…,dst=…[,ro], type=tmpfs,dst=…, type=cache,dst=…[,id=…].
   * @placeholder MOUNT
   */
  mount?: readonly string[]
  /**
   * Folder that relative sources of bind mounts are taken from.
   * @placeholder DIR
   */
  contextdir?: string
  /** Network: the host's (the default), none, or one of its own through pasta or slirp4netns. */
  network?: 'host' | 'none' | 'private'
  /**
   * Capability beside the default ones.
   * @placeholder CAP
   */
  capAdd?: readonly string[]
  /**
   * Capability to take away; ALL takes all.
   * @placeholder CAP
   */
  capDrop?: readonly string[]
  /**
   * Device of the host that the command sees.
   * @placeholder DEVICE
   */
  device?: readonly string[]
  /**
   * Security option: seccomp=unconfined, seccomp=FILE, no-new-privileges.
   * @placeholder OPTION
   */
  securityOpt?: readonly string[]
  /**
   * Give the command a terminal.
   * @short t
   * @flag terminal tty
   */
  terminal?: boolean
  /**
   * Name of the machine inside.
   * @placeholder NAME
   */
  hostname?: string
  /** Leave the container's own /etc/hosts. */
  noHosts?: boolean
  /** Isolation: an OCI runtime, or chroot, which needs util-linux only. Default: `BUILDAH_ISOLATION`, else what works here. */
  isolation?: 'oci' | 'rootless' | 'chroot'
  /**
   * OCI runtime to use instead of crun or runc.
   * @placeholder PATH
   */
  runtime?: string
  /**
   * Global flag for the OCI runtime, without its leading dashes.
   * @placeholder FLAG
   */
  runtimeFlag?: readonly string[]
  /**
   * Exit code that counts as success beside 0.
   * @placeholder CODE
   */
  validExitCodes?: readonly string[]
  /** Add an entry for this command to the image's history. */
  addHistory?: boolean
}

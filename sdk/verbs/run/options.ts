import type { GlobalOptions } from '../global.js'

/** What a run, and each RUN of a build, is given beside its command. */
export interface RunSettings {
  /**
   * Folder or file of the host that commands see, as HOST:CONTAINER[:ro].
   * @short v
   * @placeholder HOST:CONTAINER[:OPTIONS]
   */
  volume?: readonly string[]
  /**
   * Secret that --mount type=secret may use: id=NAME,src=FILE, or id=NAME,env=VARIABLE.
   * @placeholder SECRET
   */
  secret?: readonly string[]
  /**
   * Agent or keys that --mount type=ssh may use: default, ID=SOCKET, or ID=KEYFILE[,KEYFILE…].
   * @placeholder AGENT
   */
  ssh?: readonly string[]
  /** Network: the host's (which is also the default), none, or one of its own through pasta or slirp4netns. */
  network?: 'default' | 'host' | 'none' | 'private'
  /**
   * What a command may ask for: security.insecure, network.host.
   * @placeholder ENTITLEMENT
   */
  allow?: readonly string[]
  /**
   * Line of /etc/hosts.
   * @placeholder NAME:ADDRESS
   */
  addHost?: readonly string[]
  /**
   * Name server instead of the host's.
   * @placeholder ADDRESS
   */
  dns?: readonly string[]
  /**
   * Domain in which short names are looked up; a dot for none.
   * @placeholder DOMAIN
   */
  dnsSearch?: readonly string[]
  /**
   * Option of resolv.conf.
   * @placeholder OPTION
   */
  dnsOption?: readonly string[]
  /**
   * Size of /dev/shm, as 64m.
   * @placeholder BYTES
   */
  shmSize?: string
  /**
   * Limit of commands, as nofile=1024:2048.
   * @placeholder NAME=SOFT[:HARD]
   */
  ulimit?: readonly string[]
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
   * Device of the host that commands see.
   * @placeholder DEVICE
   */
  device?: readonly string[]
  /**
   * Security option: seccomp=unconfined, seccomp=FILE, no-new-privileges.
   * @placeholder OPTION
   */
  securityOpt?: readonly string[]
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
}

/** Options of the verb `run`. */
export interface RunOptions extends GlobalOptions, RunSettings {
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
   * Mount for this command: type=bind,src=…,dst=…[,rw], type=tmpfs,dst=…, type=cache,dst=…[,id=…], type=secret,id=…, type=ssh.
   * @placeholder MOUNT
   */
  mount?: readonly string[]
  /**
   * Folder that relative sources of bind mounts are taken from.
   * @placeholder DIR
   */
  contextdir?: string
  /** Security: sandbox (the default), or insecure, with all rights that builder has; needs --allow security.insecure. */
  security?: 'sandbox' | 'insecure'
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
  /**
   * Exit code that counts as success beside 0.
   * @placeholder CODE
   */
  validExitCodes?: readonly string[]
  /** Add an entry for this command to the image's history. */
  addHistory?: boolean
}

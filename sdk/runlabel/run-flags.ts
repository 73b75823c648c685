/** What a `run` line may say of a container: podman's names and meanings. */
export interface RunFlags {
  /**
   * Run in the background: print the container's ID, keep what the command prints for builder logs.
   * @short d
   */
  detach?: boolean
  /**
   * Give the command this standard input; without it the command reads nothing.
   * @short i
   */
  interactive?: boolean
  /**
   * Give the command a terminal.
   * @short t
   */
  tty?: boolean
  /** Remove the container when the command has ended, whatever its exit code. */
  rm?: boolean
  /**
   * Name of the container. Default: made from the image's name.
   * @placeholder NAME
   */
  name?: string
  /** Remove the container that has the name. */
  replace?: boolean
  /** All capabilities, all devices, nothing of /proc and /sys hidden or read-only, no filter of system calls. */
  privileged?: boolean
  /**
   * Folder or file of this machine that the command sees, as HOST:CONTAINER[:ro].
   * @short v
   * @placeholder HOST:CONTAINER[:OPTIONS]
   */
  volume?: readonly string[]
  /**
   * Environment variable: NAME=value, or NAME (taken from here).
   * @short e
   * @placeholder NAME=VALUE
   */
  env?: readonly string[]
  /**
   * File with one environment variable a line.
   * @placeholder FILE
   */
  envFile?: readonly string[]
  /**
   * Network: one of its own through pasta or slirp4netns (private, which is the default, or bridge), the host's, or none.
   * @flag network net
   */
  network?: 'private' | 'host' | 'none' | 'bridge'
  /** Shared memory and message queues: its own (the default), or the host's. */
  ipc?: 'private' | 'host'
  /** Processes it sees: its own (the default), or the host's. */
  pid?: 'private' | 'host'
  /** Host name: its own (the default), or the host's. */
  uts?: 'private' | 'host'
  /** Users: always those of builder's own namespace, or the host's as real root. */
  userns?: 'host'
  /**
   * User that the command runs as, by name or number.
   * @short u
   * @placeholder USER[:GROUP]
   */
  user?: string
  /**
   * Folder that the command starts in.
   * @short w
   * @placeholder PATH
   */
  workdir?: string
  /**
   * Program instead of the image's entry point: a word, or a JSON list; the image's command is left out then. Empty for none.
   * @placeholder COMMAND
   */
  entrypoint?: string
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
   * Security option: seccomp=unconfined, seccomp=FILE, no-new-privileges, label=disable.
   * @placeholder OPTION
   */
  securityOpt?: readonly string[]
  /**
   * Empty folder in memory, as PATH[:size=64m,mode=1777,ro].
   * @placeholder PATH[:OPTIONS]
   */
  tmpfs?: readonly string[]
  /** Nothing but volumes and folders in memory can be written to. */
  readOnly?: boolean
  /**
   * Name of the machine inside. In a label and with podman also -h.
   * @placeholder NAME
   */
  hostname?: string
  /**
   * Line of /etc/hosts.
   * @placeholder NAME:ADDRESS
   */
  addHost?: readonly string[]
  /**
   * Label of the container.
   * @short l
   * @placeholder NAME=VALUE
   */
  label?: readonly string[]
  /**
   * Name server instead of the host's.
   * @placeholder ADDRESS
   */
  dns?: readonly string[]
  /**
   * Size of /dev/shm, as 64m.
   * @placeholder BYTES
   */
  shmSize?: string
  /**
   * Limit of the command, as nofile=1024:2048.
   * @placeholder NAME=SOFT[:HARD]
   */
  ulimit?: readonly string[]
  /** When to ask the registry for the image. */
  pull?: 'missing' | 'always' | 'never' | 'newer'
  /** Run super-privileged, with atomic's set: the host's root at /host, its network, processes and IPC, all privileges. */
  spc?: boolean
}

/** How one flag of a `run` line is written. */
export interface RunFlag {
  /** Without its dashes. */
  readonly name: string
  readonly also?: readonly string[]
  readonly short?: string
  readonly key: keyof RunFlags
  readonly kind: 'boolean' | 'text' | 'list'
  /** What may be written for a value, and what it means. */
  readonly values?: Readonly<Record<string, string>>
  /** A flag that podman and docker do not have. */
  readonly ownOnly?: boolean
}

const own = { private: 'private', host: 'host' }
const networks = {
  ...own,
  none: 'none',
  bridge: 'bridge',
  default: 'private',
  slirp4netns: 'private',
  pasta: 'private',
}
const policies = { missing: 'missing', always: 'always', never: 'never', newer: 'newer' }

/** The flags of a `run` line that builder honours. */
export const runFlags: readonly RunFlag[] = [
  { name: 'detach', short: 'd', key: 'detach', kind: 'boolean' },
  { name: 'interactive', short: 'i', key: 'interactive', kind: 'boolean' },
  { name: 'tty', short: 't', key: 'tty', kind: 'boolean' },
  { name: 'rm', key: 'rm', kind: 'boolean' },
  { name: 'name', key: 'name', kind: 'text' },
  { name: 'replace', key: 'replace', kind: 'boolean' },
  { name: 'privileged', key: 'privileged', kind: 'boolean' },
  { name: 'volume', short: 'v', key: 'volume', kind: 'list' },
  { name: 'env', short: 'e', key: 'env', kind: 'list' },
  { name: 'env-file', key: 'envFile', kind: 'list' },
  { name: 'network', also: ['net'], key: 'network', kind: 'text', values: networks },
  { name: 'ipc', key: 'ipc', kind: 'text', values: { ...own, shareable: 'private' } },
  { name: 'pid', key: 'pid', kind: 'text', values: own },
  { name: 'uts', key: 'uts', kind: 'text', values: own },
  { name: 'userns', key: 'userns', kind: 'text', values: { host: 'host' } },
  { name: 'user', short: 'u', key: 'user', kind: 'text' },
  { name: 'workdir', short: 'w', key: 'workdir', kind: 'text' },
  { name: 'entrypoint', key: 'entrypoint', kind: 'text' },
  { name: 'cap-add', key: 'capAdd', kind: 'list' },
  { name: 'cap-drop', key: 'capDrop', kind: 'list' },
  { name: 'device', key: 'device', kind: 'list' },
  { name: 'security-opt', key: 'securityOpt', kind: 'list' },
  { name: 'tmpfs', key: 'tmpfs', kind: 'list' },
  { name: 'read-only', key: 'readOnly', kind: 'boolean' },
  { name: 'hostname', short: 'h', key: 'hostname', kind: 'text' },
  { name: 'add-host', key: 'addHost', kind: 'list' },
  { name: 'label', short: 'l', key: 'label', kind: 'list' },
  { name: 'dns', key: 'dns', kind: 'list' },
  { name: 'shm-size', key: 'shmSize', kind: 'text' },
  { name: 'ulimit', key: 'ulimit', kind: 'list' },
  { name: 'pull', key: 'pull', kind: 'text', values: policies },
  { name: 'spc', key: 'spc', kind: 'boolean', ownOnly: true },
]

/** Flags of podman's and docker's that builder knows and cannot honour. */
export const refusedFlags: readonly string[] = (
  'annotation arch attach authfile blkio-weight blkio-weight-device cgroup-conf cgroup-parent cgroupns cgroups ' +
  'chrootdirs cidfile conmon-pidfile cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus ' +
  'cpuset-mems creds decryption-key detach-keys device-cgroup-rule device-read-bps device-read-iops device-write-bps ' +
  'device-write-iops disable-content-trust dns-option dns-opt dns-search domainname env-host env-merge expose gidmap ' +
  'gpus group-add group-entry health-cmd health-interval health-on-failure health-retries health-start-period ' +
  'health-startup-cmd health-timeout hostuser http-proxy image-volume init init-ctr init-path init-container ip ip6 ' +
  'isolation kernel-memory label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation ' +
  'memory-swap memory-swappiness mount network-alias net-alias no-healthcheck no-hosts oom-kill-disable oom-score-adj ' +
  'os passwd passwd-entry personality pidfile pids-limit platform pod pod-id-file preserve-fd preserve-fds publish ' +
  'publish-all quiet rdt-class read-only-tmpfs requires restart retry retry-delay rmi rootfs runtime sdnotify ' +
  'seccomp-policy secret shm-size-systemd sig-proxy stop-signal stop-timeout storage-opt subgidname subuidname sysctl ' +
  'systemd timeout tls-verify tz uidmap umask unsetenv unsetenv-all variant volume-driver volumes-from'
).split(' ')

/** Short forms of some of them. */
export const refusedShorts: Readonly<Record<string, string>> = {
  a: 'attach',
  c: 'cpu-shares',
  m: 'memory',
  p: 'publish',
  P: 'publish-all',
  q: 'quiet',
}

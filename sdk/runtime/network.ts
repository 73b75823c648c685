import { accessSync, constants } from 'node:fs'
import { BuilderError } from '../errors.js'
import { findProgram, needProgram } from './programs.js'

/** The network of a run: the host's, a loopback interface alone, or one of its own with a way out. */
export type Network = 'host' | 'none' | 'private'

/** What a network of its own is made with. */
export interface NetworkWish {
  readonly folder: string
  readonly only?: 'slirp4netns' | 'pasta'
  readonly propagation?: 'private' | 'slave'
}

/** How a command is started in a network of its own. */
export interface PrivateNetwork {
  /** What goes before the command. */
  readonly argv: readonly string[]
  /** The address in it that answers name queries. */
  readonly nameserver: string
}

/**
 * A network namespace of the run's own, joined to the host's network by slirp4netns or pasta, which need no privilege.
 *
 * The command in front makes the namespace, waits until there is a default route in it, and becomes the command; the
 * helper ends with it.
 *
 * @param wish - `only` says which helper to use. Default: the first that is there. `propagation` is of the mount namespace it runs in.
 *
 * Throws `UNSUPPORTED`, naming the package when neither helper is on the machine, and where tunnels cannot be opened.
 */
export function privateNetwork({ folder, only, propagation = 'private' }: NetworkWish): PrivateNetwork {
  const helper = helpers.find(({ name }) => (only ?? name) === name && findProgram(name))
  if (!helper)
    throw new BuilderError('UNSUPPORTED', {
      operation: 'run',
      object: '--network private',
      reason: 'neither slirp4netns nor pasta is on this machine',
      hint: 'install the package slirp4netns or passt, or use --network host or none',
    })
  checkTunnels()
  const sh = needProgram('sh', 'dash', 'run')
  const tools = ['unshare', 'sleep', 'mkfifo'].map((name) => needProgram(name, 'util-linux and coreutils', 'run'))
  const program = findProgram(helper.name) as string
  return {
    argv: [
      tools[0] as string,
      '-m',
      '--propagation',
      propagation,
      sh,
      '-c',
      enterScript,
      sh,
      helper.name,
      program,
      folder,
      sh,
      waitScript,
      ...tools,
    ],
    nameserver: helper.nameserver,
  }
}

/** Both helpers open it. */
function checkTunnels(): void {
  try {
    accessSync(tunnels, constants.R_OK | constants.W_OK)
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code !== 'ENOENT'
    throw new BuilderError('UNSUPPORTED', {
      operation: 'run',
      object: '--network private',
      reason: isThere ? `this user may not open ${tunnels}` : `there is no ${tunnels}`,
      hint: `use --network host or none, or as root ${isThere ? `chmod 0666 ${tunnels}` : 'modprobe tun'}`,
      cause,
    })
  }
}

const tunnels = '/dev/net/tun'

const helpers = [
  { name: 'slirp4netns', nameserver: '10.0.2.3' },
  { name: 'pasta', nameserver: '169.254.1.1' },
] as const

/**
 * Runs in the host's network, in a mount namespace where the new network can have a name: helpers that give up their
 * privileges first cannot open it through /proc. It leaves a watcher behind, which is no child of the command (crun waits for all of its
 * children): the watcher starts the helper once this process has a network of its own, and ends it when nobody holds
 * the fifo open for writing any more, that is when the command has ended, in whatever way.
 */
const enterScript = `
kind=$1 helper=$2 folder=$3 sh=$4 wait=$5 unshare=$6 sleep=$7 mkfifo=$8
shift 8
self=$$
: >"$folder/netns" && "$mkfifo" "$folder/alive" || exit 125
( (
  trap '' INT QUIT HUP
  exec 3<"$folder/alive"
  until [ "$folder/netns" -ef "/proc/$self/ns/net" ] || ! [ -e "/proc/$self" ]; do :; done
  case $kind in
    slirp4netns) set -- --configure --mtu=65520 --disable-host-loopback --netns-type=path "$folder/netns" tap0 ;;
    pasta) set -- --config-net --quiet --foreground --netns-only --runas 0 --no-map-gw --dns-forward 169.254.1.1 \\
      -t none -u none -T none -U none --netns "$folder/netns" ;;
  esac
  "$helper" "$@" 3<&- &
  echo $! >"$folder/helper"
  read -r _ <&3
  kill $!
) </dev/null >"$folder/network.log" 2>&1 & )
exec 9>"$folder/alive"
exec "$unshare" --net="$folder/netns" "$sh" -c "$wait" "$sh" "$kind" "$folder" "$sleep" "$@"
`

/** Runs in the new network until the helper has made a default route, for at most ten seconds. */
const waitScript = `
kind=$1 folder=$2 sleep=$3
shift 3
tries=0 found=
while :; do
  while read -r _ destination _; do [ "$destination" = 00000000 ] && found=1; done </proc/self/net/route
  [ -n "$found" ] && exec "$@"
  tries=$((tries + 1)) helper=
  [ -s "$folder/helper" ] && read -r helper <"$folder/helper"
  if [ $tries -gt 500 ] || { [ -n "$helper" ] && ! [ -e "/proc/$helper/exe" ]; }; then
    echo "builder: run --network private: $kind did not set up the network:" >&2
    while IFS= read -r line; do printf '%s\\n' "$line"; done <"$folder/network.log" >&2
    exit 125
  fi
  "$sleep" 0.02
done
`

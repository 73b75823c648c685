import { BuilderError } from '../errors.js'
import { findProgram, needProgram } from './programs.js'

/** The network of a run: the host's, a loopback interface alone, or one of its own with a way out. */
export type Network = 'host' | 'none' | 'private'

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
 * helper is its child and ends with it.
 *
 * Throws `UNSUPPORTED` naming the package when neither helper is on the machine.
 */
export function privateNetwork(folder: string): PrivateNetwork {
  const helper = helpers.find(({ name }) => findProgram(name))
  if (!helper)
    throw new BuilderError('UNSUPPORTED', {
      operation: 'run',
      object: '--network private',
      reason: 'neither slirp4netns nor pasta is on this machine',
      hint: 'install the package slirp4netns or passt, or use --network host or none',
    })
  const sh = needProgram('sh', 'dash', 'run')
  const tools = ['unshare', 'setpriv', 'sleep'].map((name) => needProgram(name, 'util-linux', 'run'))
  const program = findProgram(helper.name) as string
  return {
    argv: [sh, '-c', enterScript, sh, helper.name, program, folder, sh, waitScript, ...tools],
    nameserver: helper.nameserver,
  }
}

const helpers = [
  { name: 'slirp4netns', nameserver: '10.0.2.3' },
  { name: 'pasta', nameserver: '169.254.1.1' },
] as const

/**
 * Runs in the host's network. The helper waits for this process to be in another namespace, and is told by the kernel
 * when it ends (pdeathsig), also when it is killed.
 */
const enterScript = `
kind=$1 helper=$2 folder=$3 sh=$4 wait=$5 unshare=$6 setpriv=$7 sleep=$8
shift 8
self=$$
(
  while [ /proc/$self/ns/net -ef /proc/self/ns/net ]; do :; done
  case $kind in
    slirp4netns) set -- --configure --mtu=65520 --disable-host-loopback "$self" tap0 ;;
    pasta) set -- --config-net --quiet --foreground --netns-only --runas 0 --no-map-gw --dns-forward 169.254.1.1 \\
      -t none -u none -T none -U none "$self" ;;
  esac
  exec "$setpriv" --pdeathsig TERM "$helper" "$@"
) </dev/null >"$folder/network.log" 2>&1 &
exec "$unshare" -n "$sh" -c "$wait" "$sh" "$kind" "$folder" "$sleep" "$!" "$@"
`

/** Runs in the new network until the helper has made a default route, for at most ten seconds. */
const waitScript = `
kind=$1 folder=$2 sleep=$3 helper=$4
shift 4
tries=0
while :; do
  while read -r _ destination _; do [ "$destination" = 00000000 ] && exec "$@"; done </proc/self/net/route
  tries=$((tries + 1))
  if [ $tries -gt 500 ] || ! [ -e "/proc/$helper/exe" ]; then
    echo "builder: run --network private: $kind did not set up the network:" >&2
    while IFS= read -r line; do printf '%s\\n' "$line"; done <"$folder/network.log" >&2
    exit 125
  fi
  "$sleep" 0.02
done
`

import { type DnfPlaces, wayOut } from './dnf-config.js'
import type { DnfKind } from './dnf-program.js'
import type { DnfRequest } from './dnf-request.js'

/** What of the options stands on dnf's command line, and not in its configuration. */
export interface DnfSwitches {
  readonly releasever?: string | undefined
  readonly forcearch?: string | undefined
  /** Ask no repository: only what is in the cache. */
  readonly offline: boolean
  /** Modules to be enabled before, as `NAME:STREAM`. */
  readonly enableModules: readonly string[]
  /** Absolute path of the folder that `download` fills. */
  readonly destination: string
}

/**
 * The command lines of one request, to be executed in turn. Sources: dnf(8) of dnf 4, the manual of dnf5 ("dnf5",
 * "Options"), and microdnf's own --help.
 */
export function dnfArguments(
  kind: DnfKind,
  request: DnfRequest,
  switches: DnfSwitches,
  places: DnfPlaces,
): readonly (readonly string[])[] {
  const common = commonArguments(kind, switches, places)
  const { enableModules } = switches
  const before = enableModules.length === 0 ? [] : [[...common, 'module', 'enable', ...enableModules]]
  // microdnf has no such flag.
  const quiet = request.does === 'changes' || kind === 'microdnf' ? [] : ['-q']
  // For dnf 4 the plugin downloads.
  const into = request.does === 'downloads' && kind !== 'dnf4' ? [`--destdir=${switches.destination}`] : []
  return [...before, [...common, ...quiet, ...request.command, ...into, ...request.words]]
}

function commonArguments(kind: DnfKind, { releasever, forcearch, offline }: DnfSwitches, places: DnfPlaces): string[] {
  const { root, state, cache, reposdir, varsdir } = places
  const both = [
    `--installroot=${root}`,
    ...(releasever === undefined ? [] : [`--releasever=${releasever}`]),
    ...(forcearch === undefined ? [] : [`--forcearch=${forcearch}`]),
  ]
  const config = `${state}/dnf.conf`
  // Those two take what is set here as it is, and would take the root's own folders otherwise.
  const paths = [
    `--setopt=cachedir=${cache}`,
    `--setopt=system_cachedir=${cache}`,
    `--setopt=logdir=${state}/log`,
    // Its history would be in the root, and tells times.
    '--setopt=history_record=0',
    `--setopt=reposdir=${reposdir.join(',')}`,
    `--setopt=varsdir=${varsdir.join(',')}`,
  ]
  // In front of these dnf5 puts the root all the same. What it says of packages and modules there tells times, as its history does.
  const ownState = [
    `--setopt=persistdir=${wayOut(places, `${state}/history`)}`,
    `--setopt=system_state_dir=${wayOut(places, `${state}/system`)}`,
  ]
  switch (kind) {
    case 'dnf4':
      return ['-y', '-c', config, ...both, ...(offline ? ['-C'] : [])]
    case 'dnf5':
      return [
        '-y',
        `--config=${config}`,
        '--use-host-config',
        ...both,
        ...paths,
        ...ownState,
        ...(offline ? ['--cacheonly'] : []),
      ]
    case 'microdnf':
      return [
        '-y',
        `--config=${config}`,
        '--noplugins',
        ...both,
        ...paths,
        `--setopt=persistdir=${state}/history`,
        ...(offline ? ['--setopt=cacheonly=1'] : []),
      ]
  }
}

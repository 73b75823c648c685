import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { isRealRoot } from '../../namespace/inside.js'
import { isOwn, uidOnHost } from '../../namespace/run-directory.js'

/** The user's home folder. */
export function home(): string {
  return absolute(process.env.HOME) ?? homedir()
}

/** `$XDG_CONFIG_HOME`, else `~/.config`. */
export function configHome(): string {
  return absolute(process.env.XDG_CONFIG_HOME) ?? join(home(), '.config')
}

/** `$XDG_CACHE_HOME`, else `~/.cache`. */
export function cacheHome(): string {
  return absolute(process.env.XDG_CACHE_HOME) ?? join(home(), '.cache')
}

/**
 * Where login writes unless it is told otherwise, as podman's: containers/auth.json in the folder that lives only as long as
 * the user's session, /run for the machine's root. Without such a folder it is the one in `configHome()`.
 */
export function primaryAuthFile(): string {
  const runtime = absolute(process.env.XDG_RUNTIME_DIR)
  if (runtime !== undefined && isOwn(runtime)) return join(runtime, 'containers/auth.json')
  if (isRealRoot()) return '/run/containers/0/auth.json'
  const usual = `/run/user/${uidOnHost()}`
  return join(isOwn(usual) ? usual : configHome(), 'containers/auth.json')
}

/** The XDG base directory specification: a path that is not absolute is to be ignored. */
function absolute(path: string | undefined): string | undefined {
  return path && isAbsolute(path) ? path : undefined
}

import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { usage } from './location.js'
import { isRootless } from './tool.js'

/** Where podman, buildah and skopeo keep images, and which one is meant. */
export interface ContainersPlace {
  /** `[driver@root+runroot]` as it was written, for the tools; empty for the user's own storage. */
  readonly specifier: string
  readonly driver: string
  readonly root: string
  readonly runroot?: string
  /** Options of the driver, as `overlay.mount_program=…`. */
  readonly options: readonly string[]
  /** What follows: NAME[:TAG], or an ID. */
  readonly image: string
  readonly id?: string
}

/**
 * Reads `[[driver@root+runroot:options]]NAME[:TAG|@ID]` (containers-transports(5)). Without the brackets it is the storage that
 * storage.conf names, of root or of the user. Throws `USAGE`.
 */
export function parseContainersPlace(rest: string, name: string): ContainersPlace {
  const match = /^(?:\[(?:([a-z]+)@)?(\/[^\]+:]*)(?:\+(\/[^\]:]*))?(?::([^\]]*))?\])?([^[\]]*)$/.exec(rest)
  if (!match) throw usage(name, 'it is not [DRIVER@ROOT+RUNROOT]NAME', hint)
  const [, driver, root, runroot, options = '', text = ''] = match
  const at = text.indexOf('@')
  const [image, id] = at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
  if (text === '' || (id !== undefined && !/^(sha256:)?[0-9a-f]{6,64}$/.test(id)))
    throw usage(name, text === '' ? 'it has no name' : `${JSON.stringify(id)} is not an image ID`, hint)
  const own = root === undefined ? ownStorage() : { root }
  return {
    specifier: root === undefined ? '' : rest.slice(0, rest.length - text.length),
    driver: driver ?? own.driver ?? driverIn(own.root),
    root: own.root,
    ...(runroot === undefined ? {} : { runroot }),
    options: options.split(',').filter(Boolean),
    image,
    ...(id === undefined ? {} : { id }),
  }
}

const hint = 'write containers-storage:NAME:TAG, containers-storage:@ID, or [DRIVER@/ROOT+/RUNROOT] before it'

interface OwnStorage {
  readonly root: string
  readonly driver?: string
}

function ownStorage(): OwnStorage {
  const rootless = isRootless()
  const settings = settingsIn(confFile(rootless))
  const data = process.env.XDG_DATA_HOME || join(homedir(), '.local/share')
  const configured = rootless
    ? (settings.get('rootless_storage_path') ?? settings.get('graphroot'))
    : settings.get('graphroot')
  const root = rootless ? join(data, 'containers/storage') : '/var/lib/containers/storage'
  const driver = settings.get('driver')
  return { root: configured ? expanded(configured) : root, ...(driver ? { driver } : {}) }
}

/** A user's own file, then the machine's; root has the machine's alone (containers-storage.conf(5)). */
function confFile(rootless: boolean): string | undefined {
  const { CONTAINERS_STORAGE_CONF, XDG_CONFIG_HOME } = process.env
  if (CONTAINERS_STORAGE_CONF) return CONTAINERS_STORAGE_CONF
  const own = join(XDG_CONFIG_HOME || join(homedir(), '.config'), 'containers/storage.conf')
  const files = ['/etc/containers/storage.conf', '/usr/share/containers/storage.conf']
  // The machine's graphroot is root's; only its rootless_storage_path is for users, and that is rare.
  return (rootless ? [own] : files).find((file) => existsSync(file))
}

/** The texts of the table `[storage]`: all that is needed of this TOML. */
function settingsIn(file: string | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let table = ''
  for (const line of file === undefined || !existsSync(file) ? [] : readFileSync(file, 'utf8').split('\n')) {
    table = /^\s*\[([^\]]*)\]/.exec(line)?.[1] ?? table
    const [, key, value] = /^\s*([a-z_]+)\s*=\s*["']([^"']*)["']/.exec(line) ?? []
    if (table === 'storage' && key !== undefined && value) found.set(key, value)
  }
  return found
}

/** `$HOME`, `$UID` and `$USER` may stand in rootless_storage_path. */
function expanded(path: string): string {
  const values: Readonly<Record<string, string | undefined>> = { ...process.env, HOME: homedir() }
  return path.replace(/\$\{?(HOME|UID|USER)\}?/g, (text, variable: string) => values[variable] ?? text)
}

function driverIn(root: string): string {
  return ['overlay', 'vfs', 'btrfs', 'zfs'].find((driver) => existsSync(join(root, `${driver}-images`))) ?? 'overlay'
}

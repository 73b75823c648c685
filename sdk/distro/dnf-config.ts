import { relative } from 'node:path'

/** What one repository is called and where it is. */
export interface DnfRepository {
  readonly id: string
  /** http, https, ftp or file. */
  readonly url: string
  /** Addresses or `file://` paths of the keys that sign its packages. */
  readonly gpgkeys: readonly string[]
}

/** What decides which packages a request brings, and what of them. */
export interface DnfSettings {
  readonly repositories: readonly DnfRepository[]
  /** Texts of `.repo` files. */
  readonly repofiles: readonly string[]
  /** `false`: unsigned packages are taken. */
  readonly gpgcheck: boolean
  readonly weakDeps: boolean
  readonly docs: boolean
  /** Languages whose files are installed; all when empty. */
  readonly langs: readonly string[]
  readonly exclude: readonly string[]
}

/** Where things are: absolute paths of the host. */
export interface DnfPlaces {
  /** The mounted root. */
  readonly root: string
  /** A private folder of this run: configuration, logs, history. */
  readonly state: string
  /** Folder of metadata and packages. */
  readonly cache: string
  /** Folders of `.repo` files and of variables; those of the host, or private ones, from the state's folder on. */
  readonly reposdir: readonly string[]
  readonly varsdir: readonly string[]
  /** Path of the rpm database in the root: `/usr/lib/sysimage/rpm`. */
  readonly dbpath: string
}

/**
 * dnf.conf for one run; nothing of the host is read beside it. dnf puts the root in front of the paths of caches, logs and
 * history, and so they are written as the way out of it.
 */
export function dnfConfig(settings: DnfSettings, places: DnfPlaces): string {
  const { state, cache, reposdir, varsdir } = places
  const outside = (path: string) => wayOut(places, path)
  const lines: Record<string, string | boolean | readonly string[]> = {
    cachedir: outside(cache),
    system_cachedir: outside(cache),
    logdir: outside(`${state}/log`),
    persistdir: outside(`${state}/history`),
    reposdir,
    varsdir,
    pluginpath: 'plugins',
    pluginconfpath: 'plugins',
    plugins: true,
    gpgcheck: settings.gpgcheck,
    localpkg_gpgcheck: false,
    best: true,
    skip_if_unavailable: false,
    install_weak_deps: settings.weakDeps,
    tsflags: settings.docs ? [] : ['nodocs'],
    excludepkgs: settings.exclude,
    keepcache: true,
    deltarpm: false,
    metadata_expire: '0',
    check_config_file_age: false,
    logfilelevel: '0',
    history_record: true,
    clean_requirements_on_remove: true,
  }
  const text = Object.entries(lines).map(([name, value]) => `${name}=${valueText(value)}\n`)
  return `[main]\n${text.join('')}`
}

/** A path that leads to one of the host where a dnf puts the root in front. */
export function wayOut({ root }: Pick<DnfPlaces, 'root'>, path: string): string {
  return `/${relative(root, path)}`
}

function valueText(value: string | boolean | readonly string[]): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  return typeof value === 'string' ? value : value.join(',')
}

/** The text of a `.repo` file. */
export function repositoryText({ id, url, gpgkeys }: DnfRepository): string {
  const keys = gpgkeys.length === 0 ? '' : `gpgkey=${gpgkeys.join(' ')}\n`
  return `[${id}]\nname=${id}\nbaseurl=${url}\nenabled=1\n${keys}`
}

/**
 * rpm's macros for one run. Debian's rpm looks for its database in the caller's home unless it is told where it is. Of rpm's
 * own plugins those that speak to the host's daemons are off.
 */
export function rpmMacros({ langs }: Pick<DnfSettings, 'langs'>, dbpath: string): string {
  const macros: Record<string, string> = {
    _dbpath: dbpath,
    _db_backend: 'sqlite',
    ...(langs.length === 0 ? {} : { _install_langs: [...langs].sort().join(':') }),
    // The mounted /proc belongs to the machine's root, and rpm may not change its owner.
    _netsharedpath: '/proc',
    ...Object.fromEntries(hostPlugins.map((name) => [`__transaction_${name}`, '%{nil}'])),
  }
  return Object.entries(macros)
    .map(([name, value]) => `%${name} ${value}\n`)
    .join('')
}

const hostPlugins = ['audit', 'dbus_announce', 'fapolicyd', 'ima', 'prioreset', 'selinux', 'syslog', 'systemd_inhibit']

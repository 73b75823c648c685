/** Some fifty of Debian's real packages, repackaged as RPMs in a repository: the closure of a few programs. */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { call } from './places.js'

/** What is asked for; all that it needs is in the repository. */
export const wanted = ['bash', 'coreutils', 'curl', 'python3-minimal']

export interface DebianRepository {
  readonly folder: string
  /** The names of all packages, sorted. */
  readonly names: readonly string[]
}

/** Makes it in a folder: downloads with apt-get, repackages with rpmbuild, indexes with createrepo_c; about 20 seconds. */
export function makeDebianRepository(folder: string): DebianRepository {
  mkdirSync(folder)
  const work = mkdtempSync(join(folder, 'work-'))
  const names = closure(work)
  shell('apt-get -q -o Debug::NoLocking=1 -o APT::Sandbox::User=root download "$@"', work, names)
  const debs = readdirSync(work).filter((file) => file.endsWith('.deb'))
  const packages = debs.map((deb) => unpack(join(work, deb), join(work, 'trees')))
  writeFileSync(join(work, 'all.spec'), spec(packages, work))
  const macros = {
    ...{ _topdir: join(work, 'build'), _rpmdir: folder, _dbpath: join(work, 'db'), _buildshell: '/bin/sh' },
    ...{ _build_id_links: 'none', debug_package: '%{nil}', __os_install_post: '%{nil}' },
    // As Fedora packs, but not as long.
    _binary_payload: 'w3.zstdio',
  }
  const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`])
  call(['rpmbuild', '-bb', '--quiet', ...defines, join(work, 'all.spec')], here(work))
  rmSync(work, { recursive: true })
  call(['createrepo_c', '-q', folder], process)
  return { folder, names }
}

function closure(work: string): readonly string[] {
  writeFileSync(join(work, 'status'), '')
  const empty = `-o Dir::State::status=${work}/status -o Debug::NoLocking=1 -o APT::Install-Recommends=0`
  const plan = shell(`apt-get ${empty} -s install "$@"`, work, wanted)
  return [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name).sort()
}

interface Package {
  readonly name: string
  readonly version: string
  readonly tree: string
  readonly requires: readonly string[]
  readonly provides: readonly string[]
  readonly configuration: ReadonlySet<string>
}

function unpack(deb: string, trees: string): Package {
  const fields = ['Package', 'Version', 'Pre-Depends', 'Depends', 'Provides']
  const field = (name: string) => call(['dpkg-deb', '-f', deb, name], process)
  const [name = '', version = '', before = '', depends = '', provides = ''] = fields.map(field)
  const tree = join(trees, name)
  mkdirSync(tree, { recursive: true })
  call(['dpkg-deb', '-x', deb, tree], process)
  const configuration = shell('dpkg-deb --ctrl-tarfile "$1" | tar -xO ./conffiles || true', trees, [deb])
  return {
    ...{ name, version, tree, configuration: new Set(configuration.split('\n')) },
    // The first alternative is the one that apt took, for the status was empty.
    requires: [before, depends].flatMap((list) => namesOf(list)),
    provides: namesOf(provides),
  }
}

function namesOf(list: string): readonly string[] {
  return list
    .split(/,\s*/)
    .map((one) => one.replace(/[ (|:].*/s, ''))
    .filter((name) => name !== '')
}

function spec(packages: readonly Package[], work: string): string {
  const known = new Set(packages.flatMap(({ name, provides }) => [name, ...provides]))
  const head = 'Name: debian\nVersion: 1\nRelease: 1\nSummary: All of them\nLicense: Various\n%description\nAll.\n'
  const install = `%install\nfor tree in ${work}/trees/*; do cp -a "$tree/." %{buildroot}; done\n`
  return head + packages.map((one) => declared(one, known)).join('') + install + packages.map(files).join('')
}

function declared({ name, version, requires, provides }: Package, known: ReadonlySet<string>): string {
  const [, epoch, upstream = '', revision = '1'] = /^(?:(\d+):)?(.*?)(?:-([^-]*))?$/.exec(version) ?? []
  const lines = [
    `%package -n ${name}\nSummary: ${name}\nAutoReqProv: no`,
    `Version: ${upstream.replaceAll('-', '.')}\nRelease: ${revision}`,
    ...(epoch === undefined ? [] : [`Epoch: ${epoch}`]),
    ...requires.filter((other) => known.has(other)).map((other) => `Requires: ${other}`),
    ...provides.map((other) => `Provides: ${other}`),
    // Scripts in packages ask for it by its path.
    ...(name === 'bash' ? ['Provides: /bin/sh'] : []),
    `%description -n ${name}\n${name}\n`,
  ]
  return lines.join('\n')
}

function files({ name, tree, configuration }: Package): string {
  // In a container they are mounted, and rpm would fail to give them their owners.
  const kernel = /^(dev|proc|sys)$/
  const paths = (readdirSync(tree, { recursive: true }) as string[]).filter((path) => !kernel.test(path)).sort()
  const lines = paths.map((path) => {
    // Brackets are a pattern to rpmbuild, as in the name of the program `[`.
    const quoted = `"/${path.replaceAll('%', '%%').replaceAll('[', '[[]')}"`
    if (lstatSync(join(tree, path)).isDirectory()) return `%dir ${quoted}`
    return configuration.has(`/${path}`) ? `%config(noreplace) ${quoted}` : quoted
  })
  return `%files -n ${name}\n%defattr(-,root,root)\n${lines.join('\n')}\n`
}

function shell(script: string, cwd: string, args: readonly string[]): string {
  return call(['sh', '-c', `cd "$0" && ${script}`, cwd, ...args], process)
}

function here(work: string): { readonly env: NodeJS.ProcessEnv } {
  return { env: { ...process.env, HOME: work, SOURCE_DATE_EPOCH: '1700000000' } }
}

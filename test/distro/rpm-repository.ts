/** Repositories of our own RPMs, from the specs in test/distro/rpm/: made once for all test files of a lane, in about a second. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { command, top } from '../lane.js'

/** The time of everything in the repositories, in seconds: what SOURCE_DATE_EPOCH should be at least. */
export const rpmEpoch = 1_700_000_000

/**
 * `now` has edition 1 of httpd (1:2.4.1-1), `later` has edition 2 (1:2.4.2-1) in its place, `both` has both. `signed` is
 * `now` with every package signed; its key is `signingKey()`.
 */
export type Edition = 'now' | 'later' | 'both' | 'signed'

/** A folder of packages with its metadata; nothing in it may be changed, take `copyOf` for that. */
export interface RpmRepository {
  readonly folder: string
  /** `file://…`, for `--repo ID=URL`. */
  readonly url: string
}

/** The repository; the first call of a lane makes it. */
export async function rpmRepository(edition: Edition = 'now'): Promise<RpmRepository> {
  const folder = await once(`rpm-${edition}`, (making) => makeRepository(making, edition))
  return { folder, url: pathToFileURL(folder).href }
}

/** The public keys: `signing` is the one of the `signed` repository, `other` has signed nothing. */
export async function rpmKeys(): Promise<{ readonly signing: string; readonly other: string }> {
  const folder = await once('rpm-keys', makeKeys)
  return { signing: join(folder, 'signing.asc'), other: join(folder, 'other.asc') }
}

/** A copy that a test may change, as a repository does: take packages away with `drop`, and the metadata with them. */
export async function copyOf({ folder }: RpmRepository, into: string, drop = /^$/): Promise<RpmRepository> {
  mkdirSync(into, { recursive: true })
  for (const file of packagesIn(folder)) if (!drop.test(file)) copyFileSync(join(folder, file), join(into, file))
  await index(into)
  return { folder: into, url: pathToFileURL(into).href }
}

/** Names of the package files, sorted. */
export function packagesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.rpm'))
    .sort()
}

async function makeRepository(folder: string, edition: Edition): Promise<void> {
  const packages = await once('rpm-packages', makePackages)
  const unwanted = { now: /-2\.4\.2-/, signed: /-2\.4\.2-/, later: /-2\.4\.1-/, both: /^$/ }[edition]
  for (const file of packagesIn(packages)) {
    if (unwanted.test(file)) continue
    if (edition === 'signed') copyFileSync(join(packages, file), join(folder, file))
    else linkSync(join(packages, file), join(folder, file))
  }
  if (edition === 'signed') await sign(folder)
  await index(folder)
}

async function index(folder: string): Promise<void> {
  copyFileSync(join(specs, 'modules.yaml'), join(folder, 'modules.yaml'))
  for (const file of readdirSync(folder)) utimesSync(join(folder, file), rpmEpoch, rpmEpoch)
  const stable = [`--revision=${rpmEpoch}`, '--set-timestamp-to-revision', '--no-database']
  await must(['createrepo_c', '-q', ...stable, '-g', join(specs, 'comps.xml'), folder])
}

async function makePackages(folder: string): Promise<void> {
  const work = join(folder, 'work')
  await Promise.all([
    build('base', work, {}),
    build('hard', work, {}),
    ...[1, 2].map((edition) => build('httpd', work, { edition: String(edition) })),
    build('greeting', work, { edition: '1', stream: 'old' }),
    build('greeting', work, { edition: '2', stream: 'new' }),
  ])
  for (const file of readdirSync(join(work, 'rpms'))) renameSync(join(work, 'rpms', file), join(folder, file))
  rmSync(work, { recursive: true })
}

/** The same bytes whoever builds, whenever and wherever. */
function build(spec: string, work: string, more: Readonly<Record<string, string>>): Promise<void> {
  const own = join(work, [spec, ...Object.values(more)].join('-'))
  const macros: Readonly<Record<string, string>> = {
    ...more,
    busybox: '/bin/busybox',
    _topdir: own,
    _rpmdir: join(work, 'rpms'),
    _rpmfilename: '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm',
    // Without it even a query makes ~/.rpmdb.
    _dbpath: join(own, 'db'),
    // Debian's rpm takes dash or bash, as it was built.
    _buildshell: '/bin/sh',
    _buildhost: 'builder.example',
    _binary_payload: 'w1.gzdio',
    _build_id_links: 'none',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
    __os_install_post: '%{nil}',
    debug_package: '%{nil}',
  }
  mkdirSync(own, { recursive: true })
  const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`])
  return must(['rpmbuild', '-bb', '--quiet', ...defines, join(specs, `${spec}.spec`)], own)
}

async function makeKeys(folder: string): Promise<void> {
  const home = keyHome(folder)
  mkdirSync(home, { mode: 0o700 })
  for (const name of ['signing', 'other']) {
    const quick = ['--batch', '--pinentry-mode', 'loopback', '--passphrase', '', '--quick-gen-key']
    await must(['gpg', '--homedir', home, ...quick, `${name}@example`, 'rsa2048', 'sign', 'never'], folder)
    const out = join(folder, `${name}.asc`)
    await must(['gpg', '--homedir', home, '--armor', '--output', out, '--export', `${name}@example`], folder)
  }
  await endAgent(home)
}

async function sign(folder: string): Promise<void> {
  const { signing } = await rpmKeys()
  // An agent's socket belongs to the folder: two files that sign at once must not share it.
  const home = mkdtempSync(join(tmpdir(), 'gpg-'))
  try {
    await must(['cp', '-a', `${keyHome(join(signing, '..'))}/.`, home])
    const files = packagesIn(folder).map((file) => join(folder, file))
    // Debian's rpm looks for gpg in no PATH.
    const macros = ['_gpg_name signing@example', `_gpg_path ${home}`, '__gpg /usr/bin/gpg']
    await must(['rpmsign', '--addsign', ...macros.flatMap((macro) => ['--define', macro]), ...files], home)
  } finally {
    await endAgent(home)
    rmSync(home, { recursive: true, force: true })
  }
}

function keyHome(folder: string): string {
  return join(folder, 'gnupg')
}

// It would stay, and be counted as left behind.
async function endAgent(home: string): Promise<void> {
  await must(['gpgconf', '--homedir', home, '--kill', 'gpg-agent'])
}

const specs = join(top, 'test/distro/rpm')
const made = new Map<string, Promise<string>>()

/** Makes a folder of a name, or takes the one that another test file has made or is about to. */
function once(name: string, make: (making: string) => Promise<void>): Promise<string> {
  const known = made.get(name) ?? find(name, make)
  made.set(name, known)
  return known
}

async function find(name: string, make: (making: string) => Promise<void>): Promise<string> {
  const place = join(tmpdir(), `${name}-${process.getuid?.()}-${version()}`)
  if (existsSync(place)) return place
  const making = mkdtempSync(`${place}.`)
  await make(making)
  chmodSync(making, 0o755)
  try {
    renameSync(making, place)
  } catch (error) {
    // Whoever was faster has made the same.
    rmSync(making, { recursive: true, force: true })
    if (!existsSync(place)) throw error
  }
  return place
}

// Outside of a lane the folders stay, and must not be taken for those of other specs.
function version(): string {
  const hash = createHash('sha256')
  for (const file of [...readdirSync(specs).map((name) => join(specs, name)), '/bin/busybox'])
    hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 12)
}

async function must(argv: readonly string[], home?: string): Promise<void> {
  const env = { LC_ALL: 'C.UTF-8', SOURCE_DATE_EPOCH: String(rpmEpoch), ...(home !== undefined && { HOME: home }) }
  const { code, stdout, stderr } = await command(argv, { env })
  if (code !== 0) throw new Error(`${argv[0]}: ${stderr}${stdout}`)
}

/** What is known of the archives of Debian and Ubuntu: which suites they have, where those are, and who signs them. */

/** A distribution that `--suite` knows. */
export interface Distribution {
  readonly name: 'debian' | 'ubuntu'
  /** Of `--component`'s default. */
  readonly components: readonly string[]
  /** The keyring of its own package, on a host that has it. */
  readonly keyring: string
  readonly keyringPackage: string
}

/** One line's worth of an archive. */
export interface ArchivePart {
  readonly uri: string
  readonly suite: string
}

/** The distribution that has a suite; undefined where none does. */
export function distributionOf(suite: string): Distribution | undefined {
  const name = baseOf(suite)
  return [debian, ubuntu].find((one) => suitesOf(one).includes(name))
}

/** Every suite that is known, for suggestions. */
export function knownSuites(): readonly string[] {
  return [debian, ubuntu].flatMap(suitesOf)
}

/**
 * The parts of the archive that a suite means: a release comes with its updates and its security updates, a rolling suite and one
 * that is named with its suffix (`bookworm-backports`) alone.
 *
 * @param snapshot - `YYYYMMDDTHHMMSSZ`: as the archive was then.
 */
export function partsOf(
  distribution: Distribution,
  suite: string,
  architecture: string,
  snapshot: string | undefined,
): readonly ArchivePart[] {
  const isRelease = suite === baseOf(suite) && !rolling.includes(suite)
  const suites = isRelease ? [suite, `${suite}-updates`, `${suite}-security`] : [suite]
  return suites.map((one) => ({ uri: uriOf(distribution, one, architecture, snapshot), suite: one }))
}

/** Distributions whose keyring may be on this machine. */
export const distributions = (): readonly Distribution[] => [debian, ubuntu]

/** Sources: Debian wiki, SourcesList; snapshot.debian.org, "Usage"; documentation.ubuntu.com, snapshot service. */
function uriOf({ name }: Distribution, suite: string, architecture: string, snapshot: string | undefined): string {
  if (name === 'debian') {
    const archive = suite.endsWith('-security') ? 'debian-security' : 'debian'
    if (snapshot !== undefined) return `https://snapshot.debian.org/archive/${archive}/${snapshot}`
    return `http://deb.debian.org/${archive}`
  }
  if (snapshot !== undefined) return `https://snapshot.ubuntu.com/ubuntu/${snapshot}`
  const isMain = architecture === 'amd64' || architecture === 'i386'
  return isMain ? 'http://archive.ubuntu.com/ubuntu' : 'http://ports.ubuntu.com/ubuntu-ports'
}

function baseOf(suite: string): string {
  return suite.replace(/-(updates|security|proposed-updates|proposed|backports|backports-sloppy)$/, '')
}

function suitesOf({ name }: Distribution): readonly string[] {
  return name === 'debian' ? [...debianReleases, ...rolling] : ubuntuReleases
}

const debianReleases: readonly string[] = [
  'bullseye',
  'bookworm',
  'trixie',
  'forky',
  'duke',
  'oldoldstable',
  'oldstable',
  'stable',
]
const rolling: readonly string[] = ['testing', 'unstable', 'sid', 'experimental', 'rc-buggy']
const ubuntuReleases: readonly string[] = [
  'focal',
  'jammy',
  'noble',
  'oracular',
  'plucky',
  'questing',
  'resolute',
  'devel',
]

const debian: Distribution = {
  name: 'debian',
  components: ['main'],
  keyring: '/usr/share/keyrings/debian-archive-keyring.gpg',
  keyringPackage: 'debian-archive-keyring',
}
const ubuntu: Distribution = {
  name: 'ubuntu',
  components: ['main', 'universe'],
  keyring: '/usr/share/keyrings/ubuntu-archive-keyring.gpg',
  keyringPackage: 'ubuntu-keyring',
}

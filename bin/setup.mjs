// What has to be on the machine before anything else runs: the npm packages and the host's packages.
// Needs Node alone, so that `npm start` and `npm test` work in a fresh clone with no step before them.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * A package of the host and the program that shows that it is there.
 * `dnf` is the name there when it is another one.
 *
 * @typedef {{ program: string, apt: string, dnf?: string }} HostPackage
 */

/** What a build as a plain user wants. builder works without crun (built-in isolation), and with one id without uidmap. */
export const runPackages = [
  { program: 'unshare', apt: 'util-linux' },
  { program: 'newuidmap', apt: 'uidmap', dnf: 'shadow-utils' },
  { program: 'crun', apt: 'crun' },
]

/** Runs `npm ci` when node_modules is missing or is not what package-lock.json says. */
export function installModules(top) {
  if (modulesAreCurrent(top)) return
  console.error('npm ci: node_modules is missing or older than package-lock.json')
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const env = { ...process.env, npm_config_loglevel: 'error' }
  const args = [...npm.slice(1), 'ci', '--include=dev', '--no-audit', '--no-fund']
  const { status, error } = spawnSync(npm[0], args, { cwd: top, env, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error(`npm ci failed${error ? `: ${error.message}` : ''}; see its message above`)
}

/**
 * Installs the host packages whose program is not found, as root; as a plain user prints the line that would.
 *
 * @param {readonly HostPackage[]} wanted
 * @returns {HostPackage[]} what is still missing
 */
export function installHostPackages(wanted) {
  const missing = missingPackages(wanted)
  if (missing.length === 0) return []
  const manager = ['apt-get', 'dnf'].find(findProgram)
  if (process.getuid() === 0 && manager) {
    console.error(`installing host packages: ${packageNames(missing, manager).join(' ')}`)
    if (manager === 'apt-get') aptInstall(packageNames(missing, manager))
    else run(manager, ['install', '-y', '--setopt=strict=0', ...packageNames(missing, manager)])
  }
  const still = missingPackages(missing)
  if (still.length > 0) console.error(`missing on this machine, install with: ${installLine(still, manager)}`)
  return still
}

/** The path of a program, looked up as a shell does and also in the system folders a plain user's PATH lacks. */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function missingPackages(wanted) {
  return wanted.filter(({ program }) => !findProgram(program))
}

function packageNames(packages, manager) {
  return [...new Set(packages.map((entry) => (manager === 'dnf' ? (entry.dnf ?? entry.apt) : entry.apt)))]
}

function installLine(packages, manager = 'apt-get') {
  return `sudo ${manager} install -y ${packageNames(packages, manager).join(' ')}`
}

// The lists are fetched only when the first try fails: they are missing on a fresh machine, or name versions that are gone.
// A name that this release does not have must not keep the others from being installed: then one by one.
function aptInstall(names) {
  const install = (wanted) => run('apt-get', [...aptOptions, 'install', '-y', '--no-install-recommends', ...wanted])
  if (install(names)) return
  run('apt-get', [...aptOptions, 'update'])
  if (install(names)) return
  for (const name of names) install([name])
}

const aptOptions = ['-q', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0']

function run(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' }
  const done = spawnSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  if (done.status !== 0) console.error(`${command} ${args.at(-1)}: ${lastLines(done.stderr || done.stdout || '')}`)
  return done.status === 0
}

function lastLines(text) {
  return text.trim().split('\n').slice(-3).join('; ')
}

// npm writes what it installed to node_modules/.package-lock.json. Optional packages of other platforms are not in it.
function modulesAreCurrent(top) {
  const installed = join(top, 'node_modules/.package-lock.json')
  if (!existsSync(installed)) return false
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages
  const want = JSON.parse(readFileSync(join(top, 'package-lock.json'), 'utf8')).packages
  const same = (path) => have[path]?.version === want[path]?.version && have[path]?.integrity === want[path]?.integrity
  // What is not below node_modules/ is the project itself and its workspaces: they are there.
  const isInstalled = (path) => path.startsWith('node_modules/')
  return (
    Object.keys(have).filter(isInstalled).every(same) &&
    Object.keys(want).every((path) => !isInstalled(path) || want[path].link || want[path].optional || same(path))
  )
}

// The lanes: who runs the tests, in which folder, with which programs in sight.
//
//   static  checks of the source itself, once
//   root    real root, in a mount namespace of its own
//   user    an unprivileged user with subordinate ids
//   bare    the same user with a small machine's programs only: no newuidmap, no OCI runtime, one id
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, copyFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { findProgram } from '../../bin/setup.mjs'
import { barePrograms } from './packages.mjs'
import { findUser, hasRanges, testUser } from './user.mjs'

export const laneNames = ['static', 'root', 'user', 'bare']

/**
 * Prepares a lane in a temporary folder of its own: home, run-time folder, temporary folder and, where another user
 * runs it, a copy of the project. `{ reason }` when this machine or this user cannot run it.
 */
export function prepareLane(name, top) {
  const root = process.getuid() === 0
  if (name === 'static') return { name, about: 'the source itself', top, env: process.env, remove() {} }
  if (name === 'root' && !root) return { reason: 'it needs root' }
  const user = name === 'root' ? undefined : root ? testUser(process.env.BUILDER_TEST_USER ?? 'builder-test') : me()
  if (name === 'user' && !findProgram('newuidmap')) return { reason: 'newuidmap is missing' }
  if (name === 'user' && !hasRanges(user)) return { reason: `${user.name} has no range in /etc/subuid and /etc/subgid` }
  return makeLane(name, top, root ? user : undefined)
}

function me() {
  return findUser(process.getuid()) ?? { name: String(process.getuid()), uid: process.getuid(), gid: process.getgid() }
}

// `other` is the user that runs the lane when it is not the caller.
function makeLane(name, top, other) {
  // Short and in lower case: podman's run folder has a limit, and buildah makes image names of paths.
  const folder = join(process.env.TMPDIR ?? '/var/tmp', `b${name.slice(0, 1)}${randomBytes(3).toString('hex')}`)
  mkdirSync(folder)
  // Other users pass through tmp to what a test gave them there.
  for (const part of ['home', 'run', 'tmp', 'bin'])
    mkdirSync(join(folder, part), { mode: part === 'tmp' ? 0o711 : 0o700 })
  const lane = {
    name,
    about: `as ${other?.name ?? me().name}, node ${process.version}`,
    top: other ? copyTree(top, join(folder, 'builder')) : top,
    ...(other && { uid: other.uid, gid: other.gid }),
    env: environment(name, folder, other?.name ?? me().name),
    remove: () => removeFolder(folder),
  }
  if (name === 'bare') for (const program of barePrograms) link(program, join(folder, 'bin'))
  if (other) own(folder, other)
  if (other) reachNode(join(folder, 'bin'), lane)
  return lane
}

// Nothing of the caller's environment: a test must not depend on who runs it.
function environment(name, folder, user) {
  const system = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  return {
    PATH: name === 'bare' ? join(folder, 'bin') : `${join(folder, 'bin')}:${dirname(process.execPath)}:${system}`,
    HOME: join(folder, 'home'),
    USER: user,
    LOGNAME: user,
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    TMPDIR: join(folder, 'tmp'),
    XDG_RUNTIME_DIR: join(folder, 'run'),
    BUILDER_LANE: name,
    BUILDER_TEST_RUN: basename(folder),
    ...(process.env.CI && { CI: process.env.CI }),
  }
}

// A copy and not a link: the tree may be below a folder that the other user cannot enter.
function copyTree(top, target) {
  mkdirSync(target)
  const parts = spawnSync('find', [top, '-mindepth', '1', '-maxdepth', '1', '!', '-name', '.git'], { encoding: 'utf8' })
  must('cp', ['-a', '--reflink=auto', '-t', target, ...parts.stdout.trim().split('\n')])
  must('chmod', ['-R', 'u+rwX', target])
  return target
}

function own(folder, { uid, gid }) {
  must('chown', ['-R', '-h', `${uid}:${gid}`, folder])
}

function link(program, folder) {
  const path = program === 'node' ? process.execPath : findProgram(program)
  if (path) symlinkSync(path, join(folder, program))
}

// Node may live where only root can read, as in /root/.nvm: then the lane gets its own copy.
function reachNode(folder, { uid, gid, env }) {
  if (spawnSync(process.execPath, ['--version'], { uid, gid, env, cwd: '/' }).status === 0) return
  rmSync(join(folder, 'node'), { force: true })
  copyFileSync(process.execPath, join(folder, 'node'))
  chmodSync(join(folder, 'node'), 0o755)
  chownSync(join(folder, 'node'), uid, gid)
}

// Files of mapped ids can be removed only by root, or from within the namespace that maps them.
function removeFolder(folder) {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    const inside = new URL('inside.mjs', import.meta.url).pathname
    must(process.execPath, [inside, 'rm', '-rf', folder])
  }
}

function must(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr.trim()}`)
}

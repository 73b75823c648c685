// The unprivileged user of the second lane: made once, given subordinate ids, never removed or changed afterwards.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/**
 * Finds the user, or makes it (as root).
 *
 * @returns {{ name: string, uid: number, gid: number }}
 */
export function testUser(name) {
  const found = findUser(name)
  if (found && hasRanges(found)) return found
  if (found && !found.ours)
    throw new Error(
      `user ${name} has no subordinate ids and was not made by these tests; ` +
        `usermod --add-subuids ${freeRange('/etc/subuid')} --add-subgids ${freeRange('/etc/subgid')} ${name}`,
    )
  // A group of that name may be there without the user.
  const group = spawnSync('getent', ['group', name]).status === 0 ? ['--gid', name] : []
  if (!found) command('useradd', ['--create-home', '--shell', '/bin/sh', '--comment', mark, ...group, name])
  const made = findUser(name)
  if (!made) throw new Error(`useradd made no user ${name}`)
  for (const kind of ['uid', 'gid'])
    if (!hasRange(made, `/etc/sub${kind}`))
      command('usermod', [`--add-sub${kind}s`, freeRange(`/etc/sub${kind}`), name])
  return made
}

/** True when a user has ranges in both /etc/subuid and /etc/subgid. */
export function hasRanges(user) {
  return hasRange(user, '/etc/subuid') && hasRange(user, '/etc/subgid')
}

/** A user by name or uid: from the system's database, for it may come from a directory service. */
export function findUser(nameOrUid) {
  const { status, stdout } = spawnSync('getent', ['passwd', String(nameOrUid)], { encoding: 'utf8' })
  if (status !== 0 || !stdout) return undefined
  const [name, , uid, gid, comment] = stdout.trim().split(':')
  return { name, uid: Number(uid), gid: Number(gid), ours: comment === mark }
}

// By which a later run knows that the user is its own.
const mark = 'builder tests'

function hasRange({ name, uid }, file) {
  return ranges(file).some((range) => (range.owner === name || range.owner === String(uid)) && range.count >= 65536)
}

function ranges(file) {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => line.split(':'))
    .map(([owner, start, count]) => ({ owner, start: Number(start), count: Number(count) }))
}

/** The first 65536 ids that no line of the file overlaps. */
function freeRange(file) {
  const start = ranges(file).reduce((free, range) => Math.max(free, range.start + range.count), 100000)
  return `${start}-${start + 65535}`
}

function command(program, args) {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

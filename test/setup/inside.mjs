// `node inside.mjs COMMAND...` runs a command as root of a user namespace with the caller's subordinate ids, in a mount
// namespace of its own. The tests' own way in, so that a test of a room does not stand on the room that enters.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { userInfo } from 'node:os'

const { username, uid, gid } = userInfo()
// The shell waits for a line on file descriptor 3: until then the ids are not mapped.
const script = 'read -r _ <&3 || exit 1; exec 3<&-; exec "$@"'
const child = spawn('unshare', ['-U', '-m', 'sh', '-c', script, 'sh', ...process.argv.slice(2)], {
  stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
})
const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ? 1 : code)))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  console.error(`inside: cannot start unshare: ${error.message}`)
  process.exit(1)
})

if (await hasLeft(child)) {
  map('newuidmap', uid, '/etc/subuid')
  map('newgidmap', gid, '/etc/subgid')
  child.stdio[3].end('go\n')
}
process.exitCode = await ended

// unshare has done its work when the child's namespace is no longer ours; false when it ended before.
async function hasLeft({ pid }) {
  const ours = readlinkSync('/proc/self/ns/user')
  for (let turn = 0; turn < 5000 && child.exitCode === null; turn++) {
    if (namespaceOf(pid) !== ours) return true
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return false
}

function namespaceOf(pid) {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`)
  } catch {
    return readlinkSync('/proc/self/ns/user')
  }
}

function map(program, id, file) {
  const range = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([owner]) => owner === username || owner === String(uid))
  if (!range) throw new Error(`${username} has no range in ${file}`)
  const { status, stderr, error } = spawnSync(program, [child.pid, 0, id, 1, 1, range[1], range[2]].map(String), {
    encoding: 'utf8',
  })
  if (status === 0) return
  child.kill('SIGKILL')
  throw new Error(`${program}: ${error?.message ?? stderr.trim()}`)
}

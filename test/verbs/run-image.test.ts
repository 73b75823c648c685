import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, test } from 'node:test'
import { quoteWord } from '../../sdk/image/words.js'
import { eventually, furnished, inTerminal, launcher } from '../bin/in-session.js'
import { builder, command, lane, needs, tempDir, top } from '../lane.js'
import { refuses, said } from './cases.js'

const folder = tempDir({ after })

before(async () => {
  const image = join(folder, 'image')
  mkdirSync(join(image, 'bin'), { recursive: true })
  mkdirSync(join(image, 'etc'))
  mkdirSync(join(image, 'data'))
  const { stdout } = await command(['sh', '-c', 'command -v busybox'])
  copyFileSync(stdout.trim(), join(image, 'bin/busybox'))
  for (const name of 'cat echo env grep hostname id ls mount pwd readlink sh sleep touch tty'.split(' '))
    symlinkSync('busybox', join(image, 'bin', name))
  writeFileSync(join(image, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\n')
  writeFileSync(join(image, 'data/kept'), 'of the image\n')
  writeFileSync(join(folder, 'file'), 'of the host\n')
  writeFileSync(join(folder, 'env'), '# comment\nONE=1\n  TWO=a b # c\n\nHOME_OF\n')
  await said('from', '--name', 'c', 'scratch')
  await said('copy', '-q', 'c', image, '/')
  await said(
    'config',
    '--cmd',
    '["echo","default"]',
    '--env',
    'A=image',
    '--workingdir',
    '/srv',
    '--volume',
    '/data',
    'c',
  )
  await said('commit', '-q', 'c', 'tools')
  await said('config', '--entrypoint', '["echo","entry"]', '--cmd', '["default"]', '--user', 'web', 'c')
  await said('commit', '-q', '--rm', 'c', 'entry')
})

async function containers(): Promise<string> {
  return said('containers', '-q')
}

const sh = (text: string) => ['tools', 'sh', '-c', text]

/** What is printed, in one line. */
const outputs: Readonly<Record<string, { words: readonly string[]; says: string }>> = {
  'the image’s command runs': { words: ['tools'], says: 'default' },
  'words take its place': { words: ['tools', 'echo', '--rm', '-v'], says: '--rm -v' },
  'two dashes may stand before the words': { words: ['tools', '--', 'echo', 'x'], says: 'x' },
  'the entry point stays in front': { words: ['entry'], says: 'entry default' },
  'words follow the entry point': { words: ['entry', 'x', 'y'], says: 'entry x y' },
  'another entry point drops the command': { words: ['--entrypoint', 'echo', 'entry'], says: '' },
  'an entry point of more words': { words: ['--entrypoint', '["echo","a b"]', 'entry', 'c'], says: 'a b c' },
  'no entry point': { words: ['--entrypoint=', 'entry', 'echo', 'x'], says: 'x' },
  'its user, folder and variables': { words: sh('id -u; pwd; echo $A'), says: '0 /srv image' },
  'the user of the image': { words: ['--entrypoint', 'id', 'entry', '-u'], says: '1000' },
  'another user, folder and variable': {
    words: ['-u', 'web', '-w', '/tmp/new', '-e', 'A=mine', '-e=B=x', ...sh('id -u; pwd; echo $A $B')],
    says: '1000 /tmp/new mine x',
  },
  'what stands in its volume is there': { words: sh('cat /data/kept'), says: 'of the image' },
  'a read-only root has writable volumes and folders in memory': {
    words: [
      '--read-only',
      '--tmpfs',
      '/m:size=1m',
      ...sh('touch /data/x /m/x /tmp/x /run/x && ! touch /x 2>/dev/null && echo ok'),
    ],
    says: 'ok',
  },
  'without -i it reads nothing': { words: sh('cat; echo end'), says: 'end' },
  'with -i it reads the caller’s input': { words: ['-i', ...sh('cat')], says: 'given' },
  'without a terminal -t is left out': { words: ['-it', ...sh('tty || true')], says: 'not a tty' },
  'no network': { words: ['--net', 'none', ...sh('ls /sys/class/net')], says: 'lo' },
  'the host’s name': { words: ['--uts=host', ...sh('hostname')], says: hostname() },
  'its own name': {
    words: ['--net=none', '--hostname', 'web.test', ...sh('hostname; grep -c web.test /etc/hosts')],
    says: 'web.test 1',
  },
  'a line of /etc/hosts': {
    words: ['--net=none', '--add-host', 'db:192.0.2.7', ...sh('grep -w db /etc/hosts')],
    says: '192.0.2.7\tdb',
  },
  'its own processes': { words: sh('echo $$'), says: '1' },
  'a capability less': {
    words: ['--cap-drop=all', ...sh('grep CapEff /proc/self/status')],
    says: 'CapEff:\t0000000000000000',
  },
}
describe('what is run', () => {
  let printed: readonly string[] = []
  before(async () => {
    const lines = Object.values(outputs).map(
      ({ words }) => `$B run-image --net host ${words.map(quoteWord).join(' ')} <"$IN" 2>&1; printf '\\0'`,
    )
    writeFileSync(join(folder, 'given'), 'given')
    const env = { B: launcher, IN: join(folder, 'given') }
    printed = (await builder(['unshare', 'sh', '-c', lines.join('\n')], { env })).stdout.split('\0')
  })
  for (const [i, [title, { says }]] of Object.entries(outputs).entries())
    it(title, () =>
      assert.equal(
        printed[i]
          ?.replace(/^builder: warning.*\n/, '')
          .trim()
          .replaceAll('\n', ' '),
        says,
      ),
    )
})

test('a private network has a way out and is not the host’s', async (t) => {
  if (!needs(t, 'slirp4netns')) return
  if (!mayUseTunnels()) {
    const { stderr } = await builder(['run-image', 'tools'])
    const told =
      /run --network private: (this user may not open|there is no) \/dev\/net\/tun; use --network host or none/
    return assert.match(stderr, told)
  }
  const { stdout, stderr } = await builder(['run-image', ...sh('readlink /proc/self/ns/net; grep : /proc/net/dev')])
  const [own = '', ...names] = stdout.trim().split('\n')
  assert.notEqual(own, (await command(['readlink', '/proc/self/ns/net'])).stdout.trim(), stderr)
  assert.ok(names.length > 1, stdout + stderr)
})

function mayUseTunnels(): boolean {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

test('variables come from a file, later ones win', async () => {
  const words = ['--env-file', join(folder, 'env'), '-e', 'ONE=2', ...sh('echo "$ONE|$TWO|$HOME_OF"')]
  const { stdout, stderr } = await builder(['run-image', '--net=host', ...words], { env: { HOME_OF: 'x' } })
  assert.equal(stdout, '2|a b # c|x\n', stderr)
})

test('a file of the host, read-only', async () => {
  const words = [
    '-v',
    `${join(folder, 'file')}:/in/file:ro`,
    ...sh('cat /in/file; echo x 2>/dev/null >/in/file || echo closed'),
  ]
  const { stdout, stderr } = await builder(['run-image', '--net=host', ...words])
  assert.equal(stdout, 'of the host\nclosed\n', stderr)
  assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'of the host\n')
})

test('the host’s processes, memory and queues are seen when they are asked for, and what was left running ends', async () => {
  const shown = sh('readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc; sleep 1000 >/dev/null 2>&1 & echo $!')
  const { stdout, stderr, code } = await builder(['run-image', '--net=host', '--pid=host', '--ipc=host', ...shown])
  assert.equal(code, 0, stderr)
  const [pid, ipc, left = ''] = stdout.trim().split('\n')
  for (const [name, link] of Object.entries({ pid, ipc }))
    assert.equal(link, (await command(['readlink', `/proc/self/ns/${name}`])).stdout.trim())
  assert.ok(!existsSync(`/proc/${left}`) || /\) [ZX] /.test(readFileSync(`/proc/${left}/stat`, 'latin1')), left)
})

test('mounts of the host follow into a volume where that is asked for; the other way is for real root', async () => {
  const run = (option: string) =>
    builder(['run-image', '--net=host', '-v', `${folder}:/x:${option}`, ...sh('cat /x/file')])
  assert.equal((await run('rslave')).stdout, 'of the host\n')
  const { stdout, stderr } = await run('rshared')
  // On a machine with both versions of control groups crun cannot do it.
  if (lane() !== 'root') assert.match(stderr, /:rshared: what a plain user mounts cannot reach the host; write rslave/)
  else if (stdout !== 'of the host\n')
    assert.match(stderr, /:rshared: crun needs a mount of its own on a machine with both/)
})

test('privileged: all capabilities and devices, nothing hidden or read-only', async () => {
  const look =
    'grep CapEff /proc/self/status; mount | grep -c " /proc/"; mount | grep " /sys " | grep -c "[(,]rw"; ls /dev'
  const { stdout, stderr } = await builder(['run-image', '--net=none', '--privileged', ...sh(look)])
  const [caps, masks, sys, ...devices] = stdout.trim().split('\n')
  // CAP_SYS_ADMIN, 21 in linux/capability.h.
  assert.ok((BigInt(`0x${caps?.split('\t')[1]}`) >> 21n) & 1n, caps)
  assert.deepEqual([masks, sys], ['0', '1'], stderr)
  if (lane() === 'root') for (const name of devicesOf('/dev')) assert.ok(devices.includes(name), name)
  else
    assert.match(
      stderr,
      /^builder: run-image --privileged: \S+ is a plain user and gives what a plain user has: .*devices \d+ stay closed/,
    )
})

function devicesOf(top: string): string[] {
  const all = readdirSync(top, { withFileTypes: true })
  return all
    .filter((one) => one.name !== 'console' && (one.isCharacterDevice() || one.isBlockDevice()))
    .map(({ name }) => name)
}

test('super-privileged: atomic’s set, and the host is as it was', async () => {
  const before = await hostState()
  const place = join(folder, 'mounted')
  mkdirSync(place)
  const look =
    'cat /host/etc/hostname; echo $HOST $NAME $IMAGE; for n in net ipc pid; do readlink /proc/self/ns/$n; done; mount | grep -c " /host"'
  // In a folder of this test's own: what is mounted there must not be seen outside.
  const mount = `mount -t tmpfs none "/host${place}" && touch "/host${place}/inside"`
  const words = ['run-image', '--spc', 'tools', 'sh', '-c', `${look}; ${mount}`]
  const { stdout, stderr, code } = await builder(words, { input: '' })
  assert.equal(code, 0, stderr)
  const [name, told, net, ipc, pid, mounts] = stdout.trim().split('\n')
  assert.equal(name, readFileSync('/etc/hostname', 'utf8').trim())
  assert.equal(told, '/host tools tools')
  for (const [kind, link] of Object.entries({ net, ipc, pid }))
    assert.equal(link, (await command(['readlink', `/proc/self/ns/${kind}`])).stdout.trim())
  assert.ok(Number(mounts) > 1, 'what is mounted on the host is there')
  assert.deepEqual(await hostState(), before)
  assert.deepEqual(readdirSync(place), [])
  assert.ok(!(await command(['cat', '/proc/self/mountinfo'])).stdout.includes(place))
  assert.equal(await containers(), '')
  const said = stderr.split('\n').filter((line) => line.startsWith('builder: run-image --spc'))
  assert.equal(said.length, lane() === 'root' ? 0 : 1, 'what is missing is one message')
  if (lane() !== 'root') assert.match(said[0] ?? '', /files under \/host are read and written as \S+.*run it as root/)
})

/** What is mounted where no test has its folders, and files that a careless mount would have changed. */
async function hostState(): Promise<readonly string[]> {
  const { stdout } = await command(['cat', '/proc/self/mountinfo'])
  const mounts = stdout.split('\n').map((line) => line.split(' ')[4] ?? '')
  const files = ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf'].map((path) => readFileSync(path, 'utf8'))
  return [...mounts.filter((path) => !/^\/(var\/)?tmp\//.test(path)), existsSync('/host') ? 'has /host' : '', ...files]
}

test('exit codes are the command’s own, and 127, 126 and 125 podman’s', async () => {
  const run = async (...words: readonly string[]) => (await builder(['run-image', '--net=host', ...words])).code
  assert.equal(await run(...sh('exit 3')), 3)
  assert.equal(await run('tools', 'nope'), 127)
  assert.equal(await run('tools', '/data/kept'), 126)
  assert.equal(await run('--cap-add=nope', 'tools'), 125)
  assert.equal(await containers(), '')
})

test('--rm=false keeps the container with its name, and --replace takes it away', async () => {
  const run = (...words: readonly string[]) => builder(['run-image', '--net=host', '--name', 'kept', ...words])
  assert.equal((await run('--rm=false', ...sh('touch /made'))).code, 0)
  assert.equal((await builder(['run', 'kept', 'ls', '/made'])).stdout, '/made\n')
  assert.match((await run('tools')).stderr, /name container kept: another container has this name/)
  assert.equal((await run('--replace', 'tools')).stdout, 'default\n')
  assert.equal(await containers(), '')
})

test('in the background: it is listed, tells its output, ends when it is asked to', async () => {
  const id = await said(
    'run-image',
    '-d',
    '--net=host',
    '--name',
    'svc',
    ...sh('trap "echo bye; exit 4" TERM; echo up; while :; do sleep 0.1; done'),
  )
  assert.match(id, /^[0-9a-f]{64}$/)
  assert.equal(await containers(), id)
  await eventually(async () => (await said('logs', 'svc')) === 'up', 'its output')
  assert.match((await builder(['rm', 'svc'])).stderr, /rm svc: a command is running in it; .*builder stop/)
  // Root's own mounts are shared; a plain user's verbs would wait for the end of what has none.
  const beside = await builder(['run', 'svc', 'ls', '/'])
  if (lane() === 'user')
    assert.match(beside.stderr, /container svc: a command runs in it in the background; .*builder stop svc/)
  else assert.equal(beside.code, 0, beside.stderr)
  assert.equal(await said('stop', 'svc'), id)
  assert.equal(await said('logs', 'svc'), 'up\nbye')
  assert.equal(await said('stop', 'svc'), id, 'one that has ended is no error')
  assert.equal(await said('rm', 'svc'), id)
})

test('in the background with --rm: rm --force ends it, nothing is left', async () => {
  const id = await said(
    'run-image',
    '-d',
    '--rm',
    '--net=host',
    '--name',
    'svc',
    ...sh('trap "exit 0" TERM; while :; do sleep 0.1; done'),
  )
  assert.equal(await said('rm', '-f', 'svc'), id)
  assert.equal(await containers(), '')
  assert.equal(await said('rm', '-f', 'svc'), '')
})

test('in the background: one that ends by itself goes with --rm', async () => {
  await said('run-image', '-d', '--rm', '--net=host', ...sh('exit 0'))
  await eventually(async () => (await containers()) === '', 'the container is gone')
})

test('in a session the command is the caller’s child, and it outlives the session only with --detach', async (t) => {
  const store = await furnished(t)
  const script = `set -e
    $B config --cmd '["sh","-c","echo session"]' c; $B commit -q c img >/dev/null
    $B run-image --net=host img
    (exec $B run-image --net=host --pid=host img sh -c 'echo $PPID; while read k v; do case $k in PPid:) echo "$v";; esac; done </proc/$PPID/status')
    echo $$
    $B run-image -d --net=host --name svc img sh -c 'echo on; while :; do sleep 0.1; done'`
  const { stdout, stderr, code } = await builder(['unshare', 'sh', '-c', script], { store, env: { B: launcher } })
  assert.equal(code, 0, stderr)
  const [says, , parent, self] = stdout.trim().split('\n')
  assert.equal(says, 'session')
  assert.equal(parent, self, 'the launcher became the runtime')
  await eventually(async () => (await builder(['logs', 'svc'], { store })).stdout === 'on\n', 'its output')
  const { stdout: gone, stderr: why } = await builder(['stop', '--time', '0', 'svc'], { store })
  assert.match(gone, /^[0-9a-f]{64}\n$/, why)
})

test('with a terminal the command has one', async (t) => {
  const store = await furnished(t)

  const script = `$B commit -q c img >/dev/null; $B run-image -it --net=host img sh -c 'test -t 0 && test -t 1 && echo both'`
  assert.match(await inTerminal(t, script, { store }), /both/)
})

test('what a killed builder leaves goes with the next one', async () => {
  const store = await ownStore()
  const places = ['--root', join(store, 'root'), '--runroot', join(store, 'run')]
  const words = ['run-image', '--net=host', '-v', `${folder}:/out`, ...sh('echo $$ >/out/ready; sleep 1000')]
  const child = spawn(join(top, 'bin/builder'), [...places, ...words], { stdio: 'ignore' })
  await eventually(() => existsSync(join(folder, 'ready')), 'the command runs')
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
  await builder(['run-image', '--net=host', 'tools', 'echo', 'x'], { store })
  assert.equal((await builder(['containers', '-q'], { store })).stdout, '')
})

/** A store with the image `tools` that no other test uses. */
async function ownStore(): Promise<string> {
  const store = tempDir({ after })
  const words = ['sh', '-c', '$B from --name c scratch; $B copy -q c "$IMAGE" /; $B commit -q --rm c tools']
  const { code, stderr } = await builder(['unshare', ...words], {
    store,
    env: { B: launcher, IMAGE: join(folder, 'image') },
  })
  assert.equal(code, 0, stderr)
  return store
}

const script = `
import { runImage, stop, logs } from 'builder-sdk'
const { stdout, exitCode } = await runImage('tools', ['sh', '-c', 'cat; exit 3'], { network: 'host', input: 'typed', nothrow: true, quiet: true })
const { id } = await runImage('tools', ['sh', '-c', 'echo up; while :; do sleep 0.1; done'], { network: 'host', detach: true, rm: true })
while ((await logs(id)) === '') await new Promise((resolve) => setTimeout(resolve, 20))
await stop([id], { time: 0 })
const failed = await runImage('tools', ['sh', '-c', 'echo no >&2; exit 5'], { network: 'host', quiet: true }).catch((error) => [error.code, error.exitCode, error.stderr])
console.log(JSON.stringify([stdout, exitCode, failed]))
`

test('the TypeScript door does the same', async () => {
  const store = await ownStore()
  const { stdout, stderr } = await command(['node', '--input-type=module', '-e', script], {
    cwd: top,
    env: { BUILDER_ROOT: join(store, 'root'), BUILDER_RUNROOT: join(store, 'run') },
  })
  assert.deepEqual(JSON.parse(stdout || '0'), ['typed', 3, ['RUN', 5, 'no\n']], stderr)
  assert.equal((await builder(['containers', '-q'], { store })).stdout, '')
})

refuses([
  [['run-image'], /^builder: run-image IMAGE: it is missing/],
  [['run-image', '--pull=never', 'nope'], /^builder: run-image nope: /],
  [
    ['run-image', '-v', 'data:/data', 'tools'],
    /mount "data:\/data": data is not an absolute path; there are no named volumes/,
  ],
  [['run-image', '-v', '/tmp:/x:U', 'tools'], /option U is not supported/],
  [
    ['run-image', '--net=host', '-v', '/nope:/x', 'tools'],
    /mount \/nope: there is no such file or directory on this machine/,
  ],
  [['run-image', '--tmpfs', 'x', 'tools'], /mount "x": x is not an absolute path in the container/],
  [['run-image', '--tmpfs', '/x:bogus', 'tools'], /there is no option "bogus"; known are size/],
  [['run-image', '--tmpfs', '/x:tmpcopyup', 'tools'], /is not copied into a tmpfs/],
  [['run-image', '--env-file', '/nope', 'tools'], /run-image --env-file \/nope: the file cannot be read/],
  [['run-image', '--entrypoint', '[x', 'tools'], /--entrypoint "\[x": it begins with \[ and is no JSON list of words/],
  [['run-image', '--pid', 'container:x', 'tools'], /--pid: "container:x" is not one of private, host/],
  [['run-image', '--memory', '1g', 'tools'], /run-image --memory: there is no such flag/],
  [['run-image', '-dt', 'tools'], /--detach --tty: nobody could attach to the terminal later/],
  [['run-image', '--name', '../x', 'tools'], /name container "\.\.\/x": it is not a container name/],
  [
    ['run-image', '--isolation=chroot', '--net=host', '--pid=host', 'tools'],
    /--isolation chroot: it cannot share the host's pid namespace; install crun/,
  ],
  [['run-image', '--isolation=chroot', '--net=host', '--read-only', 'tools'], /it cannot make the root read-only/],
  [
    ['run-image', '--isolation=chroot', '--net=host', '--privileged', 'tools'],
    /it cannot show the control groups, as --privileged does/,
  ],
  [['stop', 'nope'], /stop nope: there is no such container/],
  [['stop', '--time', '-1', 'nope'], /stop --time/],
  [['logs', 'nope'], /logs nope: there is no such container/],
])

test('what is refused leaves no container', async () => {
  assert.equal(await containers(), '')
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { isMapped } from '../../sdk/namespace/idmap.js'
import type { PreparedRun, RunRequest } from '../../sdk/runtime/run.js'
import { finishRun } from '../../sdk/runtime/run.js'
import { busyboxRootfs, execute, inside, prepare, run, snapshot } from './busybox-rootfs.js'

type Case = [title: string, request: Partial<RunRequest>, script: string, expected: string | RegExp]

const isolations: [name: string, choice: Partial<RunRequest>][] = [
  ['crun', { runtime: 'crun' }],
  ['runc', { runtime: 'runc' }],
  ['chroot', { isolation: 'chroot' }],
]

const needsIDs = 'needs subordinate ids'

/** Seconds that nothing else on the machine sleeps. */
const asleep = 900_000_000 + process.pid

/** Permitted, effective, bounding, ambient. */
const caps = 'set -- $(grep -E "^Cap(Prm|Eff|Bnd|Amb)" /proc/self/status); echo $2 $4 $6 $8'

/** What every isolation gives alike: the script's standard output. */
const cases: Case[] = [
  ['is root by default', {}, 'id -u; id -g', '0\n0\n'],
  ['takes the user of the image', { config: { User: 'web' } }, 'id -u; id -g', '1000\n1000\n'],
  ['gives a user its groups', { user: 'web' }, 'id -G', '1000 50 51\n'],
  ['gives a user with a group that group alone', { user: 'web:staff' }, 'id -G', '50\n'],
  ['takes numbers that are in no file', { user: '1234:4321' }, 'id -u; id -G', '1234\n4321\n'],
  ['takes HOME from passwd', { user: 'web' }, 'echo $HOME', '/home/web\n'],
  ['keeps HOME that was given', { user: 'web', env: { HOME: '/x' } }, 'echo $HOME', '/x\n'],
  ['sets the environment of the image', { config: { Env: ['A=1', 'B=x=y'] } }, 'echo $A $B', '1 x=y\n'],
  ['lets the run override the image', { config: { Env: ['A=1'] }, env: { A: '2' } }, 'echo $A', '2\n'],
  ['passes any value unharmed', { env: { V: awkward() } }, 'echo "$V"', `${awkward()}\n`],
  ['passes nothing of the host', {}, 'env | grep -v -E "^(PATH|HOME|HOSTNAME|PWD|SHLVL)="; true', ''],
  ['passes loader variables', { env: { LD_LIBRARY_PATH: '/x' } }, 'echo $LD_LIBRARY_PATH', '/x\n'],
  ['starts in the root', {}, 'pwd', '/\n'],
  ['starts in the working directory of the image', { config: { WorkingDir: '/root' } }, 'pwd', '/root\n'],
  ['has a hostname', { hostname: 'web.example' }, 'hostname; cat /etc/hostname', 'web.example\nweb.example\n'],
  ['resolves its own name', { hostname: 'web' }, 'grep -c web /etc/hosts', '1\n'],
  ['takes further hosts', { addHosts: ['db:192.0.2.7'] }, 'grep -c "^192.0.2.7.db$" /etc/hosts', '1\n'],
  ['has a resolv.conf', {}, 'cat /etc/resolv.conf', hostResolvConf()],
  ['leaves out hosts when told', { noHosts: true }, 'ls /etc', /^(?!.*hosts)/s],
  ['has its own processes', {}, 'ls -d /proc/[0-9]* | grep -c /proc/[0-9][0-9][0-9]; true', '0\n'],
  ['has the usual devices', {}, 'echo x >/dev/null; cat /dev/null; ls /dev/pts/ptmx /dev/fd/0 /dev/zero', /ptmx\n/],
  ['has shared memory', {}, 'stat -c %a /dev/shm; touch /dev/shm/x && ls /dev/shm', '1777\nx\n'],
  ['may not change the kernel', {}, 'echo 1 2>/dev/null >/proc/sys/vm/drop_caches || echo no', 'no\n'],
  ['may not write to sysfs', {}, 'touch /sys/x 2>/dev/null || echo no', 'no\n'],
  ['sees no cgroups', {}, 'ls /sys/fs/cgroup', ''],
  ['sees no keys of the kernel', {}, 'cat /proc/keys /proc/timer_list', ''],
  ['has a umask of its own', {}, 'touch /dev/shm/x; stat -c %a /dev/shm/x', '644\n'],
  ['has the default capabilities', {}, caps, '00000000800405fb 00000000800405fb 00000000800405fb 0000000000000000\n'],
  ['drops a capability', { capDrop: ['chown'] }, caps, /^(00000000800405fa ){3}/],
  ['adds a capability', { capAdd: ['CAP_NET_ADMIN'] }, caps, /^(00000000800415fb ){3}/],
  [
    'gives another user none',
    { user: 'web' },
    caps,
    '0000000000000000 0000000000000000 00000000800405fb 0000000000000000\n',
  ],
  ['forbids new privileges', { noNewPrivileges: true }, 'grep NoNewPrivs /proc/self/status', 'NoNewPrivs:\t1\n'],
  [
    'has the loopback interface alone',
    { network: 'none' },
    'ip -o link | grep -c .; ip addr show lo',
    /^1\n.*LOOPBACK,UP.*127\.0\.0\.1/s,
  ],
  [
    'mounts memory',
    { mounts: [tmpfs({ size: 65536, mode: 0o750 })] },
    'stat -c %a /mnt/t; touch /mnt/t/x; ls /mnt/t',
    '750\nx\n',
  ],
  [
    'mounts memory over what is there',
    { mounts: [{ ...tmpfs(), destination: '/root' }] },
    'ls -a /root | grep -c .',
    '2\n',
  ],
]

for (const [name, choice] of isolations)
  describe(`isolation ${name}`, { skip: !inside && 'needs root, or a user namespace' }, () => {
    for (const [title, request, script, expected] of cases)
      test(title, { skip: lacksIDs(request) && needsIDs }, async () => {
        using rootfs = busyboxRootfs()
        const before = snapshot(rootfs.path)
        const { code, stdout, stderr } = await run(rootfs, { ...choice, ...request, args: ['sh', '-c', script] })
        assert.equal(stderr, '')
        if (typeof expected === 'string') assert.equal(stdout, expected)
        else assert.match(stdout, expected)
        assert.equal(code, 0)
        assert.deepEqual(snapshot(rootfs.path), before, 'a trace of the run stayed in the rootfs')
      })

    test('lets every user in, whatever the umask of the caller', {
      skip: lacksIDs({ user: 'web' }) && needsIDs,
    }, async () => {
      using rootfs = busyboxRootfs()
      const umask = process.umask(0o077)
      try {
        const script = 'cat /etc/hosts /etc/resolv.conf >/dev/null; cd /srv/app; touch /dev/shm/x'
        const request = { user: 'web', cwd: '/srv/app', mounts: [tmpfs()], args: ['sh', '-c', script] }
        assert.equal((await run(rootfs, { ...choice, ...request })).stderr, '')
      } finally {
        process.umask(umask)
      }
    })

    test('gives the exit code of the command', async () => {
      using rootfs = busyboxRootfs()
      for (const code of [0, 1, 42, 125, 127, 255])
        assert.equal((await run(rootfs, { ...choice, args: ['sh', '-c', `exit ${code}`] })).code, code)
    })

    test('gives 128 and the signal when one ended the command', async () => {
      using rootfs = busyboxRootfs()
      const { code } = await run(rootfs, { ...choice, args: ['sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?'] })
      assert.equal(code, 137)
    })

    test('passes standard input on', async () => {
      using rootfs = busyboxRootfs()
      assert.equal((await run(rootfs, { ...choice, args: ['cat'] }, 'hello\n')).stdout, 'hello\n')
    })

    test('makes a missing working directory for the user', {
      skip: lacksIDs({ user: 'web' }) && needsIDs,
    }, async () => {
      using rootfs = busyboxRootfs()
      const args = ['sh', '-c', 'pwd; stat -c %u:%g /srv /srv/app']
      const { stdout } = await run(rootfs, { ...choice, args, cwd: '/srv/app', user: 'web' })
      assert.equal(stdout, '/srv/app\n0:0\n1000:1000\n')
    })

    test('mounts directories and files, read-only and writable', async () => {
      using rootfs = busyboxRootfs()
      const source = join(rootfs.folder, 'source with blanks')
      mkdirSync(source)
      writeFileSync(join(source, 'file'), 'text')
      const before = snapshot(rootfs.path)
      const script =
        'cat /mnt/ro/file /one; touch /mnt/ro/x 2>/dev/null || echo refused; echo new >/mnt/rw/new; touch /mnt/rw/sub/y'
      const { stdout, stderr } = await run(rootfs, {
        ...choice,
        args: ['sh', '-c', script],
        mounts: [
          { type: 'tmpfs', destination: '/mnt/rw/sub' },
          { type: 'bind', source, destination: '/mnt/ro', readonly: true },
          { type: 'cache', source, destination: '/mnt/rw' },
          { type: 'bind', source: join(source, 'file'), destination: '/one', readonly: true, flags: ['noexec'] },
        ],
      })
      assert.equal(`${stdout}${stderr}`, 'texttextrefused\n')
      assert.equal(readFileSync(join(source, 'new'), 'utf8'), 'new\n')
      assert.equal(existsSync(join(source, 'sub/y')), false)
      assert.deepEqual(snapshot(rootfs.path), before)
    })

    test('mounts a device', async () => {
      using rootfs = busyboxRootfs()
      const args = ['sh', '-c', 'echo x >/dev/nothing && ls /dev/nothing']
      const { stdout, stderr } = await run(rootfs, { ...choice, args, devices: ['/dev/null:/dev/nothing'] })
      assert.equal(`${stdout}${stderr}`, '/dev/nothing\n')
    })

    test('keeps what the command itself wrote', async () => {
      using rootfs = busyboxRootfs()
      await run(rootfs, { ...choice, args: ['sh', '-c', 'sleep 0.05; mkdir /proc-like; echo x >/etc/made'] })
      assert.deepEqual(
        [existsSync(join(rootfs.path, 'proc-like')), existsSync(join(rootfs.path, 'etc/made'))],
        [true, true],
      )
      assert.equal(existsSync(join(rootfs.path, 'proc')), false)
    })

    test('is ended from another process after its caller was killed', async () => {
      using rootfs = busyboxRootfs()
      const before = snapshot(rootfs.path)
      const prepared = await prepare(rootfs, { ...choice, args: ['sh', '-c', `echo ready; sleep ${asleep}`] })
      await killCaller(prepared)
      await finishRun(JSON.parse(JSON.stringify(prepared)) as PreparedRun)
      await finishRun(prepared)
      assert.equal(await sleepers(), 0, 'the command goes on')
      assert.equal(existsSync(prepared.folder), false)
      assert.deepEqual(snapshot(rootfs.path), before)
    })

    test('is stopped while its caller waits', async () => {
      using rootfs = busyboxRootfs()
      const prepared = await prepare(rootfs, { ...choice, args: ['sh', '-c', `echo ready; sleep ${asleep}`] })
      const [program = '', ...args] = prepared.argv
      const child = spawn(program, args, { env: prepared.env, stdio: ['ignore', 'pipe', 'ignore'] })
      const ended = new Promise((resolve) => child.once('close', resolve))
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await finishRun(prepared)
      await ended
      assert.equal(await sleepers(), 0)
    })

    test('gives the command a terminal', async () => {
      using rootfs = busyboxRootfs()
      const args = ['sh', '-c', 'test -t 0 && test -t 1 && echo yes; echo $TERM']
      const prepared = await prepare(rootfs, { ...choice, args, terminal: true })
      const command = prepared.argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
      const { stdout } = await execute(['script', '-qec', command, '/dev/null'], { ...prepared.env, SHELL: '/bin/sh' })
      await finishRun(prepared)
      assert.match(stdout, /yes\r\n[^\n]*xterm\r\n/)
    })
  })

function lacksIDs({ user, config }: Partial<RunRequest>): boolean {
  return (user ?? config?.User) !== undefined && !isMapped('uid', 1000)
}

/** Starts a run, waits until the command speaks, and kills the process that was started, as a crash would. */
async function killCaller({ argv, env }: PreparedRun): Promise<void> {
  const child = spawn(argv[0] as string, argv.slice(1), { env, stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  child.kill('SIGKILL')
  child.stdout.destroy()
  await new Promise((resolve) => child.once('exit', resolve))
}

async function sleepers(): Promise<number> {
  const { stdout } = await execute(
    ['sh', '-c', `cat /proc/[0-9]*/cmdline 2>&1 | tr "\\0" "\\n" | grep -c "^${asleep}$"`],
    {},
  )
  return Number(stdout)
}

function awkward(): string {
  return ' a\'b"c\\n $HOME `x`\n\ttwo\\\\\nthree '
}

function tmpfs(more: { size?: number; mode?: number } = {}) {
  return { type: 'tmpfs' as const, destination: '/mnt/t', ...more }
}

function hostResolvConf(): string {
  return existsSync('/etc/resolv.conf') ? readFileSync('/etc/resolv.conf', 'utf8') : ''
}

test('what executes a run whose folder in memory is lost is ended too: it would make the folder again', async (t) => {
  const id = `lost-${process.pid}`
  const child = spawn('sh', ['-c', 'while :; do sleep 1; done', 'sh', 'run', '--bundle', '/nowhere', id])
  t.after(() => child.kill('SIGKILL'))
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  const lost = {
    id,
    folder: '/nowhere/memory',
    isolation: 'crun',
    inMemory: true,
    env: {},
    argv: [],
    rootfs: '/nowhere',
  }
  await finishRun({ ...lost, mountpoints: [] } as unknown as PreparedRun)
  assert.equal(await ended, 'SIGKILL')
})

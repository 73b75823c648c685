import assert from 'node:assert/strict'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { isMapped } from '../../sdk/namespace/idmap.js'
import { chooseIsolation } from '../../sdk/runtime/isolation.js'
import { privateNetwork } from '../../sdk/runtime/network.js'
import { findProgram } from '../../sdk/runtime/programs.js'
import { finishRun, type RunRequest } from '../../sdk/runtime/run.js'
import { busyboxRootfs, execute, inside, prepare, run, snapshot } from './busybox-rootfs.js'

const noIDs = inside && !isMapped('uid', 1000) && 'needs subordinate ids'
const chroot = { isolation: 'chroot' } as const

/** What cannot start says so before anything is started, and leaves nothing. */
const refused: [what: string, request: Partial<RunRequest>, error: object][] = [
  ['a missing command', { args: ['no-such'] }, { code: 'RUN', exitCode: 127, message: /no such command/ }],
  ['a missing path', { args: ['/bin/no-such'] }, { exitCode: 127 }],
  ['an empty command', { args: [''] }, { exitCode: 127 }],
  ['a file that is not executable', { args: ['/etc/passwd'] }, { exitCode: 126, message: /not an executable/ }],
  ['a directory', { args: ['/etc'] }, { exitCode: 126 }],
  ['an unknown user', { user: 'no-such' }, { code: 'NOT_FOUND' }],
  ['a missing source', { mounts: [{ type: 'bind', source: '/no-such', destination: '/x' }] }, { code: 'NOT_FOUND' }],
  ['a file as working directory', { cwd: '/etc/passwd' }, { code: 'INVALID' }],
  ['a bad hostname', { hostname: 'a b' }, { code: 'USAGE' }],
  ['a bad host entry', { addHosts: ['db'] }, { code: 'USAGE' }],
  ['an unknown capability', { capAdd: ['flying'] }, { code: 'USAGE' }],
  ['a variable with a NUL', { env: { A: '\0' } }, { code: 'INVALID' }],
  ['a missing runtime', { runtime: 'no-such' }, { code: 'NOT_FOUND' }],
  ['a runtime for chroot', { ...chroot, runtime: 'crun' }, { code: 'USAGE' }],
  ['a missing seccomp profile', { seccomp: '/no-such' }, { code: 'SYSTEM' }],
  ['a file that is no seccomp profile', { seccomp: '/proc/self/cmdline' }, { code: 'INVALID' }],
  ['chroot without SYS_CHROOT', { ...chroot, capDrop: ['SYS_CHROOT'] }, { code: 'UNSUPPORTED' }],
  ['chroot without SETUID for a user', { ...chroot, user: 'web', capDrop: ['SETUID'] }, { code: 'UNSUPPORTED' }],
  ['chroot with capabilities for a user', { ...chroot, user: 'web', capAdd: ['NET_RAW'] }, { code: 'UNSUPPORTED' }],
]

describe('what cannot start', { skip: !inside && 'needs root, or a user namespace' }, () => {
  for (const [what, request, error] of refused)
    test(`refuses ${what}`, { skip: request.user === 'web' && noIDs }, async () => {
      using rootfs = busyboxRootfs()
      const before = snapshot(rootfs.path)
      await assert.rejects(prepare(rootfs, request), error)
      assert.deepEqual(snapshot(rootfs.path), before)
      assert.deepEqual(readdirSync(rootfs.folder), ['rootfs'])
    })
})

describe('what an isolation can', { skip: !inside && 'needs root, or a user namespace' }, () => {
  test('chroot holds a user to nothing when no privilege can come back', { skip: noIDs }, async () => {
    using rootfs = busyboxRootfs()
    const args = ['grep', '-E', '^Cap(Prm|Eff|Amb)|NoNew', '/proc/self/status']
    const { stdout } = await run(rootfs, { ...chroot, args, user: 'web', capDrop: ['ALL'], noNewPrivileges: true })
    assert.match(stdout, /CapPrm:\s0+\nCapEff:\s0+\nCapAmb:\s0+\nNoNewPrivs:\s1/)
  })

  test('chroot refuses loader variables where nothing in the container can set them', async () => {
    using rootfs = busyboxRootfs()
    rmSync(join(rootfs.path, 'bin/env'))
    await assert.rejects(prepare(rootfs, { ...chroot, env: { LD_PRELOAD: '/x' } }), { code: 'UNSUPPORTED' })
  })

  for (const runtime of ['crun', 'runc']) {
    test(`${runtime} filters system calls`, async () => {
      using rootfs = busyboxRootfs()
      const args = ['grep', 'Seccomp:', '/proc/self/status']
      assert.equal((await run(rootfs, { runtime, args })).stdout, 'Seccomp:\t2\n')
      assert.equal((await run(rootfs, { runtime, args, seccomp: 'unconfined' })).stdout, 'Seccomp:\t0\n')
    })

    test(`${runtime} takes a seccomp profile`, async () => {
      using rootfs = busyboxRootfs()
      const seccomp = join(rootfs.folder, 'profile.json')
      const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }
      const excluded = { ...rule, names: ['symlink'], excludes: { caps: ['CAP_CHOWN'] } }
      writeFileSync(seccomp, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule, excluded] }))
      const { stderr } = await run(rootfs, { runtime, seccomp, args: ['mkdir', '/x'] })
      assert.match(stderr, /No space left/)
    })

    test(`${runtime} gives a user the capabilities that were added by name`, { skip: noIDs }, async () => {
      using rootfs = busyboxRootfs()
      const args = ['grep', '-E', '^CapEff', '/proc/self/status']
      const { stdout } = await run(rootfs, { runtime, args, user: 'web', capAdd: ['net_bind_service'] })
      assert.equal(stdout, 'CapEff:\t0000000000000400\n')
    })
  }

  test('crun keeps a filter that it compiled, and uses it', async () => {
    using rootfs = busyboxRootfs()
    const [cache, folder] = [join(rootfs.folder, 'cache'), join(rootfs.folder, 'second')]
    mkdirSync(cache, { mode: 0o700 })
    const request = { runtime: 'crun', cache, args: ['grep', 'Seccomp:', '/proc/self/status'] }
    assert.equal((await run(rootfs, request)).stdout, 'Seccomp:\t2\n')
    assert.match(readdirSync(cache).join(' '), /^seccomp-[0-9a-f]{64}\.bpf$/)
    const prepared = await prepare(rootfs, { ...request, folder })
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as { annotations: object }
    assert.ok('run.oci.seccomp_bpf_data' in config.annotations)
    assert.equal((await execute(prepared.argv, prepared.env)).stdout, 'Seccomp:\t2\n')
    await finishRun(prepared)
  })

  test('a command in a mounted directory is found', async () => {
    using rootfs = busyboxRootfs()
    const source = join(rootfs.folder, 'tools')
    mkdirSync(source)
    writeFileSync(join(source, 'hello'), '#!/bin/sh\necho hello\n')
    chmodSync(join(source, 'hello'), 0o755)
    const mounts = [{ type: 'bind' as const, source, destination: '/tools' }]
    assert.equal((await run(rootfs, { args: ['/tools/hello'], mounts })).stdout, 'hello\n')
  })

  test('a mount outside through a link of the container stays inside', async () => {
    using rootfs = busyboxRootfs()
    await run(rootfs, { args: ['sh', '-c', 'ln -s /../../outside /link || busybox ln -s ../../outside /link'] })
    const mounts = [{ type: 'tmpfs' as const, destination: '/link/x' }]
    const { stdout } = await run(rootfs, { args: ['sh', '-c', 'touch /outside/x/y && ls /link/x'], mounts })
    assert.equal(stdout, 'y\n')
    assert.equal(existsSync(join(rootfs.folder, 'outside')), false)
  })
})

test('the isolation is crun or runc where one is installed', () => {
  const expected = findProgram('crun') ?? findProgram('runc')
  const chosen = chooseIsolation()
  assert.equal(chosen.isolation === 'oci' ? chosen.runtime : undefined, expected)
})

for (const helper of ['slirp4netns', 'pasta'] as const)
  test(`${helper} joins a private network to the host's`, {
    skip: !mayUse(helper) && 'needs it and /dev/net/tun',
  }, async () => {
    using rootfs = busyboxRootfs()
    const folder = join(rootfs.folder, 'network')
    mkdirSync(folder)
    const { argv } = privateNetwork({ folder, only: helper })
    const { code, stdout } = await execute([...argv, 'sh', '-c', 'cat; cat /proc/self/net/route; exit 5'], {}, 'in\n')
    assert.match(stdout, /^in\n.*\n\w+\t00000000\t/)
    assert.equal(code, 5)
  })

function mayUse(helper: string): boolean {
  if (!inside || !findProgram(helper)) return false
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertTidy, assertUntouched, assertWhole, newScene } from '../proof/scene.js'

// A machine with util-linux and Node, nothing else: one id, no OCI runtime.
test('the main job on a bare machine', async (t) => {
  // The runtimes of a machine that is not bare are found outside the PATH.
  process.env.BUILDAH_ISOLATION = 'chroot'
  t.after(() => delete process.env.BUILDAH_ISOLATION)
  const scene = newScene(t)
  const made = await scene.run(['from', '--name', 'c', 'scratch'])
  assert.equal(made.code, 0, made.stderr)
  assert.equal(made.stderr.match(/only one id is mapped/g)?.length, 1, made.stderr)
  await scene.ok(['copy', '--closure', 'c', '/bin/sh', '/bin/cat', '/bin/ls'])
  await scene.ok(['config', '--env', 'GREETING=hello', '--cmd', '/bin/cat /greeting', 'c'])
  await scene.ok(['run', 'c', '--', '/bin/sh', '-c', 'echo "$GREETING" > /greeting'])
  assert.equal((await scene.run(['run', 'c', '--', '/bin/sh', '-c', 'exit 7'])).code, 7)
  await t.test('mount', async () => {
    const path = await scene.ok(['mount', 'c'])
    assert.equal(readFileSync(join(path, 'greeting'), 'utf8'), 'hello\n')
    writeFileSync(join(path, 'mine'), 'x')
    assert.match(await scene.ok(['run', 'c', '--', '/bin/ls', '/']), /^mine$/m)
    await scene.ok(['umount', 'c'])
  })
  await scene.ok(['commit', '--rm', 'c', 'web'])
  for (const to of ['oci', 'oci-archive', 'docker-archive', 'dir'])
    await t.test(`push and pull: ${to}`, async () => {
      const place = `${to}:${scene.at(to)}${to === 'dir' ? '' : ':web'}`
      await scene.ok(['push', '-q', 'web', place])
      await scene.ok(['from', '--name', to, place])
      assert.equal(await scene.ok(['run', to]), 'hello')
      await scene.ok(['rm', to])
    })
  await assertWhole(scene)
  await assertTidy(scene)
})

// A runtime that the machine has is found outside the PATH too, so it is hidden in a namespace.
test('without a runtime chroot is what runs, and oci says so', async (t) => {
  const scene = newScene(t)
  await scene.ok(['from', '--name', 'c', 'scratch'])
  await scene.ok(['copy', '--closure', 'c', '/bin/sh'])
  const script = `for d in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
    for p in "$d/crun" "$d/runc"; do [ ! -f "$p" ] || mount --bind /dev/null "$p"; done; done
  "$0" run c -- /bin/sh -c 'echo it runs > /it && exit 5'; echo "code $?"
  "$0" run --isolation oci c -- /bin/sh; echo "code $?"`
  const { stdout, stderr } = await scene.run(['unshare', 'sh', '-c', script, join(process.cwd(), 'bin/builder')], {
    env: { BUILDER_ROOT: scene.root },
  })
  assert.equal(stdout, 'code 5\ncode 125\n', stderr)
  assert.match(stderr, /run --isolation oci: neither crun nor runc works on this machine; install the package crun/)
})

test('several verbs in one session warn once', async (t) => {
  const scene = newScene(t)
  const script = `c=$("$0" from scratch) && "$0" config --label a=b "$c" && "$0" commit "$c" web`
  const { code, stderr } = await scene.run(['unshare', 'sh', '-c', script, join(process.cwd(), 'bin/builder')], {
    env: { BUILDER_ROOT: scene.root },
  })
  assert.equal(code, 0, stderr)
  assert.equal(stderr.match(/only one id is mapped/g)?.length, 1, stderr)
})

test('what one id cannot do says so', async (t) => {
  const scene = newScene(t)
  mkdirSync(scene.at('tree'))
  writeFileSync(scene.at('tree/file'), 'x')
  await scene.ok(['from', '--name', 'c', 'scratch'])
  await scene.refuses(
    ['copy', '--chown', '33:33', 'c', scene.at('tree'), '/srv'],
    [/uid 33 of \S+ is outside the id map of user \S+ \(1 ids?\)/, /\/etc\/subuid/],
  )
  await scene.ok(['copy', '--closure', 'c', '/bin/sh'])
  await scene.refuses(['run', '--user', '33', 'c', '--', '/bin/sh', '-c', ':'], [/33/])
  await assertUntouched(scene, { containers: 1 })
})

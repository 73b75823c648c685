import assert from 'node:assert/strict'
import { userInfo } from 'node:os'
import { test } from 'node:test'
import { command, needs, top } from '../lane.js'
import { assertUntouched, busyboxContainer, isRoot, layersOf, newScene } from './scene.js'

interface Case {
  readonly args: readonly string[]
  readonly says: readonly RegExp[]
}

const calls: Readonly<Record<string, Case>> = {
  'an unknown verb': { args: ['comit'], says: [/comit/, /commit/] },
  'an unknown flag': { args: ['run', '--volumes', 'x', 'c'], says: [/--volumes/, /--volume/] },
  'an unknown container': {
    args: ['run', 'bass', '--', 'true'],
    says: [/run bass/, /no such container/, /base/],
  },
  'an unknown container to commit': { args: ['commit', 'nothing', 'x'], says: [/commit nothing/] },
  'an unknown image': { args: ['from', 'wob'], says: [/from wob/, /web/] },
  'an unknown image to push': { args: ['push', 'wob', 'dir:/nowhere'], says: [/wob/, /web/] },
  'a container name that is taken': {
    args: ['from', '--name', 'base', 'scratch'],
    says: [/base/, /another container has this name/, /builder rm base/],
  },
  'a new name that is taken': {
    args: ['rename', 'other', 'base'],
    says: [/base/, /another container has this name/, /builder rm base/],
  },
  'an image name of the wrong form': { args: ['commit', 'base', 'We b'], says: [/We b/] },
  'an archive that is not there': { args: ['pull', 'oci-archive:/nothing.tar'], says: [/\/nothing\.tar/, /not/] },
  'a source that is not there': { args: ['copy', 'base', '/nothing-there', '/'], says: [/\/nothing-there/, /not/] },
  'an unknown user': { args: ['run', '--user', 'nobody-here', 'base', '--', 'true'], says: [/nobody-here/] },
  'a command that is not there': { args: ['run', 'base', '--', 'nothing'], says: [/nothing/] },
}

test('what is called wrongly is refused, and nothing stays', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = newScene(t)
  await busyboxContainer(scene)
  await scene.ok(['commit', 'base', 'web'])
  await scene.ok(['from', '--name', 'other', 'scratch'])
  for (const [title, { args, says }] of Object.entries(calls))
    await t.test(title, async () => {
      // As in a shell.
      if (title === 'a command that is not there') {
        const { code, stderr } = await scene.run(args)
        assert.deepEqual([code, stderr.includes('nothing')], [127, true], stderr)
      } else await scene.refuses(args, [/^builder: /, ...says])
      await assertUntouched(scene, { containers: 2, images: 1 })
    })
})

test('an owner outside the id map is refused', async (t) => {
  if (isRoot()) return t.skip('root maps every id')
  if (!needs(t, 'busybox')) return
  const scene = newScene(t)
  await busyboxContainer(scene)
  const says = [
    /uid 70000 of \S+ is outside the id map of user \S+ \(65536 ids\)/,
    /add a larger range to \/etc\/subuid/,
  ]
  await scene.refuses(['copy', '--chown', '70000:70000', 'base', '/etc/hostname', '/new/folder/'], says)
  const message = await scene.refuses(['copy', '--chown', '70000:70000', 'base', '/etc/hostname', '/x'], says)
  assert.ok(message.includes(userInfo().username), message)
  await assertUntouched(scene, { containers: 1 })
  await scene.ok(['commit', 'base', 'after'])
  assert.ok(!(await layersOf(scene, 'after')).flat().includes('x'), 'the file stayed, with another owner')
})

test('user namespaces forbidden', async (t) => {
  if (isRoot()) return t.skip('root needs none')
  const scene = newScene(t)
  // In a namespace whose own limit is zero no other can be made.
  const places = ['--root', `${scene.root}`, '--runroot', scene.at('run')]
  const script = 'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --reuid 1 --regid 1 --clear-groups "$@"'
  const inside = [process.execPath, `${top}/test/setup/inside.mjs`, 'sh', '-c', script, 'sh']
  const { code, stderr } = await command([...inside, `${top}/bin/builder`, ...places, 'from', 'scratch'])
  assert.equal(code, 125, stderr)
  assert.match(stderr, /^builder: .*user namespace/m)
  assert.match(stderr, /max_user_namespaces/)
})

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { needs } from '../lane.js'
import { assertTidy, assertWhole, busyboxContainer, layersOf, newScene, type Scene } from './scene.js'

const runs: Readonly<Record<string, (scene: Scene) => readonly string[]>> = {
  'nothing but a run': () => [],
  'a hostname and no hosts file': () => ['--hostname', 'web', '--no-hosts'],
  'a network of its own': () => ['--network', 'none'],
  'chroot isolation': () => ['--isolation', 'chroot'],
  'a volume': (scene) => ['--volume', `${scene.at('seen')}:/a/deep/place`],
  'a volume of one file': (scene) => ['--volume', `${scene.at('seen/file')}:/etc/app/file.conf:ro`],
  'a volume in a folder that was there': (scene) => ['--volume', `${scene.at('seen')}:/tmp/seen`],
  'a cache': () => ['--mount', 'type=cache,dst=/var/cache/x'],
  'a tmpfs': () => ['--mount', 'type=tmpfs,dst=/tmp/scratch'],
}

test('a run that does nothing adds no layer', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = await prepared(t)
  for (const [title, flags] of Object.entries(runs))
    await t.test(title, async () => {
      await scene.ok(['run', ...flags(scene), 'base', '--', 'true'])
      await scene.ok(['commit', 'base', 'after'])
      assert.equal((await layersOf(scene, 'after')).length, 1)
    })
  await assertWhole(scene)
  await assertTidy(scene)
})

test('what is in a volume or a cache stays out of the layer, what the command writes goes in', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = await prepared(t)
  const flags = ['--volume', `${scene.at('seen')}:/v`, '--mount', 'type=cache,dst=/c', '--mount', 'type=tmpfs,dst=/t']
  const script = 'echo 1 > /v/one; echo 2 > /c/two; echo 3 > /t/three; echo 4 > /tmp/four'
  await scene.ok(['run', ...flags, 'base', '--', 'sh', '-c', script])
  assert.equal(await scene.ok(['run', ...flags, 'base', '--', 'cat', '/v/one', '/c/two']), '1\n2')
  await scene.ok(['commit', 'base', 'after'])
  assert.deepEqual((await layersOf(scene, 'after'))[1], ['tmp/', 'tmp/four'])
})

test('a container that is mounted for the user while it runs', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = await prepared(t)
  const path = await scene.ok(['mount', 'base'])
  try {
    await scene.ok(['run', '--volume', `${scene.at('seen')}:/v`, 'base', '--', 'true'])
    await scene.ok(['commit', 'base', 'after'])
    assert.equal((await layersOf(scene, 'after')).length, 1)
    writeFileSync(join(path, 'tmp/mine'), 'x')
    await scene.ok(['run', '--volume', `${scene.at('seen')}:/v`, 'base', '--', 'cat', '/tmp/mine'])
    await scene.ok(['commit', 'base', 'after'])
    assert.deepEqual((await layersOf(scene, 'after'))[1], ['tmp/', 'tmp/mine'])
  } finally {
    await scene.ok(['umount', 'base'])
  }
  await assertWhole(scene)
  await assertTidy(scene)
})

for (const isolation of ['oci', 'chroot'])
  test(`a run that was killed leaves nothing: ${isolation}`, async (t) => {
    if (!needs(t, 'busybox')) return
    const scene = await prepared(t)
    const flags = ['--isolation', isolation, '--volume', `${scene.at('seen')}:/v`, '--mount', 'type=cache,dst=/c']
    const script = `: ${scene.folder}; echo > /v/started; sleep 60`
    const killed = scene.killed(['run', ...flags, 'base', '--', 'sh', '-c', script], 3000)
    await killed
    await scene.ok(['commit', 'base', 'after'])
    assert.equal((await layersOf(scene, 'after')).length, 1)
    await assertWhole(scene)
    await assertTidy(scene)
  })

/** A container whose one layer is committed, and a folder to be seen in it. */
async function prepared(t: Parameters<typeof newScene>[0]): Promise<Scene> {
  const scene = newScene(t)
  mkdirSync(scene.at('seen'))
  writeFileSync(scene.at('seen/file'), 'content')
  await busyboxContainer(scene)
  await scene.ok(['commit', 'base', 'before'])
  return scene
}

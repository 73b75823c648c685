import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { command, needs, top } from '../lane.js'
import { assertTidy, assertWhole, busyboxContainer, layersOf, newScene, type Scene, tree } from './scene.js'

const recipe = `#!/bin/sh
set -eu
b() { "$BUILDER" --root "$STORE/root" --runroot "$STORE/run" "$@"; }
c=$(b from base)
b copy -q "$c" "$STORE/tree" "/data$1"
b run "$c" -- sh -c "echo $1 > /number; rm -r /data$1/d1"
b config --cmd "cat /number" --label "n=$1" "$c"
b commit -q --rm "$c" "made-$1"
`

test('eight recipes in one store at once', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = await based(t)
  writeFileSync(scene.at('recipe.sh'), recipe)
  tree(scene, 'tree', 60)
  const env = { BUILDER: `${top}/bin/builder`, STORE: scene.folder }
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8]
  const ran = await Promise.all(numbers.map((n) => command(['sh', scene.at('recipe.sh'), `${n}`], { env })))
  for (const { code, stderr } of ran) assert.equal(code, 0, stderr)
  await assertWhole(scene)
  for (const n of numbers) {
    const c = await scene.ok(['from', `made-${n}`])
    assert.equal(await scene.ok(['run', c, '--', 'sh', '-c', `cat /number; ls /data${n}`]).then(firstLine), `${n}`)
    await scene.ok(['rm', c])
  }
  await assertTidy(scene)
})

test('two runs in one container at once', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = await based(t)
  await scene.ok(['from', '--name', 'c', 'base'])
  const wait = 'i=0; until [ -e /tmp/other ]; do sleep 0.05; i=$((i + 1)); [ $i -lt 400 ] || exit 9; done'
  const ran = await Promise.all([
    scene.run(['run', 'c', '--', 'sh', '-c', `echo > /tmp/one; ${wait.replace('other', 'two')}`]),
    scene.run(['run', 'c', '--', 'sh', '-c', `echo > /tmp/two; ${wait.replace('other', 'one')}`]),
  ])
  // As a plain user each run is a namespace of its own, and an upper directory is mounted once: one waits for the other.
  for (const { code, stderr } of ran) assert.ok(code === 0 || code === 9, stderr)
  await scene.ok(['commit', 'c', 'both'])
  assert.deepEqual((await layersOf(scene, 'both'))[1], ['tmp/', 'tmp/one', 'tmp/two'])
  await assertWhole(scene)
  await assertTidy(scene)
})

test('a commit while a run goes on', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = await based(t)
  await scene.ok(['from', '--name', 'c', 'base'])
  const script = 'echo 1 > /tmp/first; sleep 4; echo 2 > /tmp/second'
  const going = scene.run(['run', '--volume', `${scene.folder}:/v`, 'c', '--', 'sh', '-c', script])
  await new Promise((resolve) => setTimeout(resolve, 2000))
  await scene.ok(['commit', 'c', 'early'])
  assert.equal((await going).code, 0)
  await scene.ok(['commit', 'c', 'late'])
  assert.deepEqual((await layersOf(scene, 'early'))[1] ?? [], ['tmp/', 'tmp/first'])
  assert.deepEqual((await layersOf(scene, 'late')).flat().filter(isWritten), ['tmp/first', 'tmp/second'])
  await assertWhole(scene)
  await assertTidy(scene)
})

test('prune while others pull', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = await based(t)
  await scene.ok(['push', 'base', `oci-archive:${scene.at('base.tar')}:base`])
  await scene.ok(['from', '--name', 'c', 'base'])
  await scene.ok(['copy', 'c', tree(scene, 'tree', 60), '/data'])
  await scene.ok(['commit', '--rm', 'c', `oci-archive:${scene.at('more.tar')}:more`])
  await scene.ok(['rmi', 'base'])
  const pulls = ['base', 'more', 'base', 'more'].map((n) => scene.run(['pull', `oci-archive:${scene.at(n)}.tar`]))
  const prunes = [1, 2, 3].map(() => scene.run(['prune']))
  for (const { code, stderr } of await Promise.all([...pulls, ...prunes])) assert.equal(code, 0, stderr)
  await assertWhole(scene)
  const c = await scene.ok(['from', 'more'])
  assert.equal(await scene.ok(['run', c, '--', 'cat', '/data/d3/f3']).then(firstLine), 'tree 3')
  await scene.ok(['rm', c])
  await assertTidy(scene)
})

/** A store with the image `base`. */
async function based(t: Parameters<typeof newScene>[0]): Promise<Scene> {
  const scene = newScene(t)
  await busyboxContainer(scene)
  await scene.ok(['commit', '--rm', 'base', 'base'])
  return scene
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

function isWritten(name: string): boolean {
  return /^tmp\/./.test(name)
}

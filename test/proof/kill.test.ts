import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { needs } from '../lane.js'
import { assertTidy, assertWhole, busyboxContainer, layersOf, newScene, type Scene, tree } from './scene.js'

const rounds = 12

test('kill -9 while from and pull read an archive', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = newScene(t)
  const archive = await archiveOf(scene)
  await killAtManyPoints(scene, (round) => {
    const verb = round % 2 === 0 ? ['from', '--name', `c${round}`] : ['pull']
    return [...verb, `oci-archive:${archive}`]
  })
  const id = await scene.ok(['pull', `oci-archive:${archive}`])
  await scene.ok(['from', '--name', 'last', id])
  assert.equal(await scene.ok(['run', 'last', '--', 'cat', '/data/d3/f3']), `tree 3\n`.repeat(4).trimEnd())
  await assertTidy(scene)
})

test('kill -9 while a tree is copied', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = newScene(t)
  await busyboxContainer(scene)
  const source = tree(scene, 'tree')
  await killAtManyPoints(scene, (round) => ['copy', 'base', source, `/data${round % 3}`])
  await scene.ok(['copy', 'base', source, '/data'])
  assert.equal(await scene.ok(['run', 'base', '--', 'sh', '-c', 'find /data -type f | grep -c .']), '301')
  await scene.ok(['commit', 'base', 'web'])
  await assertReadable(scene, 'web')
  await assertTidy(scene)
})

test('kill -9 while a command writes', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = newScene(t)
  await busyboxContainer(scene)
  // The folder's name is in the command, so that it is found when it outlives the kill.
  const script = `: ${scene.folder}; i=0; while [ $i -lt 150 ]; do echo $i > /tmp/f$i; i=$((i + 1)); done; sleep 0.2`
  await killAtManyPoints(scene, () => ['run', '--volume', `${scene.folder}:/seen`, 'base', '--', 'sh', '-c', script])
  await scene.ok(['run', 'base', '--', 'sh', '-c', 'rm /tmp/f*; echo done > /tmp/done'])
  await scene.ok(['commit', 'base', 'web'])
  await assertReadable(scene, 'web')
  // The runs were killed where they could not tidy up; what they saw must not be in the image all the same.
  const names = (await layersOf(scene, 'web')).flat().filter((name) => !name.startsWith('bin/'))
  assert.deepEqual(names, ['tmp/', 'tmp/done'])
  await assertTidy(scene)
})

test('kill -9 while a container is committed', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = newScene(t)
  await busyboxContainer(scene)
  const source = tree(scene, 'tree', 100)
  await scene.ok(['commit', 'base', 'web'])
  const before = async (round: number) => void (await scene.ok(['copy', 'base', source, `/data${round}`]))
  await killAtManyPoints(scene, () => ['commit', 'base', 'web'], before)
  await assertReadable(scene, 'web')
  await scene.ok(['commit', 'base', 'web'])
  const c = await scene.ok(['from', 'web'])
  assert.equal(await scene.ok(['run', c, '--', 'sh', '-c', 'find /data* -type f | grep -c .']), `${rounds * 101}`)
  await assertReadable(scene, 'web')
  await assertTidy(scene)
})

test('kill -9 while a list takes an image from an archive', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = newScene(t)
  const archive = await archiveOf(scene)
  const make = ['manifest', 'create', '--amend', 'web']
  const add = ['manifest', 'add', 'web', `oci-archive:${archive}`]
  const before = async () => void (await scene.ok(make))
  await killAtManyPoints(scene, (round) => (round % 3 === 2 ? ['manifest', 'rm', 'web'] : add), before)
  await scene.ok(make)
  await scene.ok(add)
  await scene.ok(['from', '--name', 'last', 'web'])
  assert.equal(await scene.ok(['run', 'last', '--', 'cat', '/data/d3/f3']), `tree 3\n`.repeat(4).trimEnd())
  await assertTidy(scene)
})

test('kill -9 while a Containerfile is built', async (t) => {
  if (!needs(t, 'busybox')) return
  const scene = newScene(t)
  await busyboxContainer(scene)
  await scene.ok(['commit', '-q', '--rm', 'base', 'start'])
  const context = tree(scene, 'context', 60)
  // The folder's name is in the commands, so that they are found when they outlive the kill.
  const lines = [
    'FROM start AS a',
    `RUN : ${scene.folder}; sleep 0.1; echo a >/a`,
    'FROM start AS b',
    `RUN : ${scene.folder}; sleep 0.1; echo b >/b`,
    'FROM start',
    'COPY . /data',
    'COPY --from=a /a /',
    'COPY --from=b /b /',
    'RUN cat /a /b >/both',
  ]
  writeFileSync(scene.at('Containerfile'), `${lines.join('\n')}\n`)
  const verb = ['build', '-q', '-t', 'web', '-f', scene.at('Containerfile')]
  const layers = (round: number) => (round % 3 === 2 ? ['--layers=false'] : round % 3 === 1 ? ['--no-cache'] : [])
  await killAtManyPoints(scene, (round) => [...verb, ...layers(round), context], undefined, 6)
  const id = await scene.ok([...verb, context])
  assert.equal(await scene.ok([...verb, context]), id)
  const c = await scene.ok(['from', 'web'])
  assert.equal(await scene.ok(['run', c, '--', 'cat', '/both']), 'a\nb')
  await scene.ok(['rm', c])
  assert.equal(await scene.ok(['containers', '-q']), '')
  await assertTidy(scene)
})

/** Measures the verb once, then kills it at moments spread over that time; after each the store is whole. */
async function killAtManyPoints(
  scene: Scene,
  verb: (round: number) => readonly string[],
  before: (round: number) => Promise<void> = async () => {},
  times = rounds,
): Promise<void> {
  let whole = Number.POSITIVE_INFINITY
  for (let round = 0; round < times; round++) {
    await before(round)
    if (round === 0) {
      const start = performance.now()
      await scene.killed(verb(99), 60_000)
      whole = performance.now() - start
    }
    const share = 0.15 + (0.9 * (round + Math.random())) / times
    await scene.killed(verb(round), whole * share)
    await assertWhole(scene)
  }
}

async function assertReadable(scene: Scene, image: string): Promise<void> {
  const file = scene.at(`${image}-${++pushed}.tar`)
  await scene.ok(['push', image, `oci-archive:${file}`])
  await scene.ok(['push', image, `docker-archive:${file}.docker:${image}`])
}

let pushed = 0

async function archiveOf(scene: Scene): Promise<string> {
  await busyboxContainer(scene)
  await scene.ok(['commit', 'base', 'start'])
  await scene.ok(['copy', 'base', tree(scene, 'tree'), '/data'])
  const file = scene.at('image.tar')
  await scene.ok(['commit', '--rm', 'base', `oci-archive:${file}:web`])
  await scene.ok(['rmi', 'start'])
  await scene.ok(['prune', '--all'])
  return file
}

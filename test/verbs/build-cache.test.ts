import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BuildEvent, BuildOptions } from '../../sdk/index.js'
import { limit } from '../bin/in-session.js'
import { command, tempDir } from '../lane.js'
import { startRegistry } from '../transport/registry/server.js'
import { type BuildScene, buildScene } from './build-scene.js'

const folder = tempDir({ after })
let scene: BuildScene
let machines = 0

before(async () => {
  mkdirSync(join(folder, 'first'))
  scene = await buildScene(join(folder, 'first'))
  scene.write('a', 'aa')
  scene.write('b', 'bb')
})

/** Another machine with the same base image: the store as it was before anything was built. */
async function machine(): Promise<{ root: string; runroot: string }> {
  const place = join(folder, `machine-${++machines}`)
  mkdirSync(place)
  await command(['cp', '-a', scene.places.root, join(place, 'root')])
  return { root: join(place, 'root'), runroot: join(place, 'run') }
}

const lines = 'FROM base\nCOPY a /a\nRUN cat /a >/c\nRUN true\nCOPY b /b\nRUN cat /b >>/c'

/** Builds on a machine and tells of each step that is kept whether it was there: `executed`, `cached`, or where it came from. */
async function steps(places: { root: string; runroot: string }, options: BuildOptions = {}, text = lines) {
  const events: BuildEvent[] = []
  const onEvent = (event: BuildEvent) => void events.push(event)
  const { id } = await scene.build(text, { ...places, explain: true, tlsVerify: false, ...options, onEvent })
  const ends = events.flatMap((event) => (event.type === 'step-end' && event.explanation ? [event.explanation] : []))
  const states = ends.map((end) => (end.state === 'hit' ? (end.from ?? 'cached') : 'executed'))
  const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
  return { id, states: states.join(' '), warnings }
}

test('another machine takes what a registry has, and executes what follows a change', limit, async (t) => {
  await using server = await startRegistry(join(tempDir(t), 'registry'))
  const cache = `${server.host}/cache`
  const first = await steps(await machine(), { cacheTo: [cache], cacheFrom: [cache] })
  assert.equal(first.states, 'executed executed executed executed executed')
  assert.match(first.warnings.join(), /there is no cache docker:\/\/.*\/cache yet: .*; the build goes on without it/)
  const second = await machine()
  const again = await steps(second, { cacheFrom: [cache] })
  assert.equal(again.states, Array(5).fill(`docker://${cache}`).join(' '))
  assert.equal(again.id, first.id)
  assert.equal((await steps(second)).states, 'cached cached cached cached cached')
  await server.settled()
  const before = server.requests().length
  const changed = await steps(
    await machine(),
    { cacheFrom: [`type=registry,ref=${cache}`] },
    lines.replace('/c\nRUN true', '/d\nRUN true'),
  )
  assert.equal(changed.states, `docker://${cache} executed executed executed executed`)
  await server.settled()
  const fetched = server
    .requests()
    .slice(before)
    .filter((line) => /^GET .*\/blobs\/.* 200/.test(line))
  assert.equal(fetched.length, 2, 'its configuration and one layer')
})

test('a stage made anew that has the same files: who copies them goes on from the cache', limit, async () => {
  const places = await machine()
  const text = (said: string, made: string) =>
    `FROM base AS one\nRUN echo ${said} >/log; echo ${made} >/out\nFROM base\nCOPY --from=one /out /out\nRUN cat /out`
  const first = await steps(places, {}, text('one', 'same'))
  const anew = await steps(places, {}, text('two', 'same'))
  assert.deepEqual([first.states, anew.states], ['executed executed executed', 'executed cached cached'])
  assert.equal(anew.id, first.id)
  assert.equal((await steps(places, {}, text('two', 'same'))).states, 'cached cached cached')
  const other = await steps(places, {}, text('two', 'other'))
  assert.equal(other.states, 'executed executed executed')
  const missing = steps(places, {}, text('three', 'same').replace('from=one /out', 'from=one /nowhere'))
  await assert.rejects(missing, /nowhere/)
})

test('a folder carries a cache too, and steps that came from one are written again', limit, async () => {
  const place = join(folder, 'cache')
  await steps(await machine(), { cacheTo: [`type=local,dest=${place}`] })
  const second = await steps(await machine(), { cacheFrom: [`oci:${place}`], cacheTo: [`oci-archive:${place}.tar`] })
  assert.equal(second.states, Array(5).fill(`oci:${place}`).join(' '))
  const third = await steps(await machine(), { cacheFrom: [`oci-archive:${place}.tar`] })
  assert.equal(third.states, Array(5).fill(`oci-archive:${place}.tar`).join(' '))
})

const wrong: Readonly<Record<string, readonly [options: BuildOptions, message: RegExp]>> = {
  'a type that there is not': [
    { cacheTo: ['type=gha'] },
    /build --cache-to type=gha: there is no cache of type gha; write/,
  ],
  'a registry without a name': [
    { cacheFrom: ['type=registry'] },
    /build --cache-from type=registry: it does not say where/,
  ],
}
for (const [what, [options, message]] of Object.entries(wrong))
  test(`${what} is refused as a cache`, limit, async () => {
    await assert.rejects(scene.build('FROM base', options), message)
  })

test('an image like others is no cache', limit, async () => {
  const place = `oci:${join(folder, 'image')}`
  await scene.said('push', 'base', place)
  await assert.rejects(
    scene.build('FROM base', { cacheFrom: [place] }),
    /it is no cache: it carries no steps; name one/,
  )
})

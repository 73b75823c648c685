import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { needs } from '../lane.js'
import { others } from '../proof/others.js'
import { sampleImage } from '../transport/sample.js'
import { refuses } from './cases.js'
import { insecure, newRegistryScene } from './registry-scene.js'

const scene = await newRegistryScene()
const { ok, refuses: fails, remote, server } = scene
const [one, two] = [sampleImage({ files: ['one'] }), sampleImage({ files: ['two'] })]

before(async () => {
  for (const tag of ['1', '2', 'old']) await scene.upload(`web:${tag}`, tag === 'old' ? two : one)
})

const tags = async (place: string) => JSON.parse(await ok(['list-tags', insecure, place]))

test('list-tags tells the tags of a repository as skopeo does', async (t) => {
  if (!needs(t, 'skopeo')) return
  const ours = await tags(remote('web'))
  assert.equal(ours.Repository, `${server.host}/web`)
  assert.deepEqual([...ours.Tags].sort(), ['1', '2', 'old'])
  assert.deepEqual(ours, JSON.parse(await others(scene).ok('skopeo', 'list-tags', insecure, remote('web'))))
})

test('list-tags tells the names in files', async () => {
  const layout = await scene.layout('first', one)
  await ok(['image', 'copy', layout, `docker-archive:${scene.at('saved.tar')}:localhost/web:3`])
  await ok(['image', 'copy', layout, `oci-archive:${scene.at('packed.tar')}:web`])
  assert.deepEqual(await tags(layout.replace(/:first$/, '')), { Tags: ['first'] })
  assert.deepEqual(await tags(`docker-archive:${scene.at('saved.tar')}`), { Tags: ['localhost/web:3'] })
  assert.deepEqual(await tags(`oci-archive:${scene.at('packed.tar')}`), { Tags: ['web'] })
})

test('delete takes a manifest away with every tag of it, and leaves the others', async () => {
  assert.equal(await ok(['delete', insecure, remote('web:1')]), one.top.digest)
  assert.deepEqual((await tags(remote('web'))).Tags, ['old'])
  await fails(['delete', insecure, remote('web:1')], [/web:1: .*no such image/])
  assert.equal(await ok(['delete', insecure, remote(`web@${two.top.digest}`)]), two.top.digest)
})

refuses([
  [['list-tags'], /^builder: list-tags SOURCE: it is missing/],
  [
    ['list-tags', 'docker://127.0.0.1:1/x:1'],
    /x:1: it names one image of the repository; write docker:\/\/127.0.0.1:1\/x/,
  ],
  [['list-tags', 'web'], /list-tags web: this is no place that has tags; write docker:\/\//],
  [['list-tags', 'dir:/x'], /list-tags dir:\/x: this is no place that has tags/],
  [['list-tags', 'oci:/nope'], /oci:\/nope: there is no such directory/],
  [['list-tags', 'docker-archive:/nope'], /docker-archive:\/nope: /],
  [['delete'], /^builder: delete IMAGE: it is missing/],
  [['delete', 'web'], /delete web: it is no place in a registry; .*rmi removes images of the store, rm containers/],
  [['delete', 'oci:/x'], /delete oci:\/x: it is a file, not in a registry/],
  [
    ['delete', 'docker://127.0.0.1:1/x'],
    /delete docker:\/\/127.0.0.1:1\/x: it names no image, only a repository; write .*x:TAG/,
  ],
  [['referrers'], /^builder: referrers IMAGE: it is missing/],
  [['referrers', 'web'], /referrers web: it is no place in a registry/],
])

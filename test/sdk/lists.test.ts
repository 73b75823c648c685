import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  BuilderError,
  history,
  images,
  manifestAdd,
  manifestAnnotate,
  manifestCreate,
  manifestExists,
  manifestInspect,
  manifestPush,
  manifestRemove,
  manifestRm,
  tree,
} from '../../sdk/index.js'
import { tempDir } from '../lane.js'
import { container, places } from './rooted.js'

const folder = tempDir({ after })

before(async () => {
  for (const arch of ['amd64', 's390x']) {
    await using c = await container('scratch', { arch })
    await c.commit(`web:${arch}`, { manifest: 'built' })
  }
})

test('a list from its beginning to its end', async () => {
  const { id, digest } = await manifestCreate('web', ['web:amd64'], places)
  assert.equal(digest, `sha256:${id}`)
  const { member } = await manifestAdd('web', 'web:s390x', { ...places, variant: 'v1' })
  await manifestAnnotate('web', member, { ...places, annotation: ['a=b'] })
  const { manifests } = await manifestInspect('web', places)
  assert.deepEqual(manifests[1]?.platform, { architecture: 's390x', os: 'linux', variant: 'v1' })
  assert.deepEqual(manifests[1]?.annotations, { a: 'b' })
  const pushed = await manifestPush('web', `oci:${join(folder, 'oci')}:web`, places)
  assert.equal(pushed.digest, (await images('web', places))[0]?.digest)
  await manifestRemove('web', 'web:amd64', places)
  assert.equal((await manifestInspect('web', places)).manifests.length, 1)
  assert.equal((await manifestRm(['web'], places)).length, 1)
  assert.deepEqual(await manifestExists('web', places), { exists: false, exitCode: 1 })
})

test('commit adds to a list, and images tells it from an image', async () => {
  const [built] = (await images('built', places)).filter(({ isList }) => isList)
  assert.deepEqual(built?.names, ['localhost/built:latest'])
  assert.equal((await manifestInspect('built', places)).manifests.length, 2)
})

test('tree and history of an image without layers', async () => {
  assert.deepEqual((await tree('web:s390x', { ...places, whatrequires: true })).layers, [])
  assert.deepEqual(
    (await history('web:s390x', places)).map(({ isEmpty, size }) => [isEmpty, size]),
    [[true, 0]],
  )
})

test('errors have codes', async () => {
  for (const [call, code] of [
    [() => manifestInspect('gone', places), 'NOT_FOUND'],
    [() => manifestInspect('web:amd64', places), 'INVALID'],
    [() => manifestCreate('built', [], places), 'EXISTS'],
    [() => manifestAdd('built', 'web:amd64', { ...places, annotation: ['='] }), 'USAGE'],
  ] as const)
    await assert.rejects(call, (error) => error instanceof BuilderError && error.code === code)
})

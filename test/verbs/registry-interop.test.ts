/** Through a registry: what builder pushes others pull and run, and the other way round. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { others } from '../proof/others.js'
import { busyboxContainer } from '../proof/scene.js'
import { insecure, newRegistryScene } from './registry-scene.js'

const scene = await newRegistryScene()
const { ok, remote, server } = scene
const tools = others(scene)
const formats = ['gzip', 'zstd'] as const

before(async () => {
  await busyboxContainer(scene)
  await ok(['config', '--cmd', '["cat","/greeting"]', 'base'])
  await ok(['run', 'base', '--', 'sh', '-c', 'echo from builder > /greeting'])
  await ok(['commit', '-q', 'base', 'mine'])
})

for (const format of formats)
  test(`buildah and podman run what builder pushed with ${format}, and builder runs what they made of it`, async () => {
    const name = `${server.host}/mine:${format}`
    await ok(['push', '-q', insecure, '--compression-format', format, 'mine', remote(`mine:${format}`)])
    const id = await tools.ok('podman', 'pull', '-q', insecure, name)
    assert.equal(await tools.ok('podman', 'image', 'inspect', '--format', '{{.Id}}', name), id)
    assert.equal(await tools.podmanRun(name), 'from builder')
    const c = await tools.ok('buildah', 'from', '-q', insecure, name)
    assert.equal(await tools.ok('buildah', 'run', c, '--', 'cat', '/greeting'), 'from builder')
    await tools.ok('buildah', 'run', c, '--', 'sh', '-c', 'echo from buildah > /greeting')
    const theirs = `${server.host}/theirs:${format}`
    await tools.ok('buildah', 'commit', '-q', insecure, c, `docker://${theirs}`)
    const back = await ok(['from', '-q', insecure, theirs])
    assert.equal(await ok(['run', back]), 'from buildah')
    const again = `${server.host}/podman:${format}`
    await tools.ok('podman', 'push', '-q', insecure, id, again)
    assert.equal(await ok(['run', await ok(['from', '-q', insecure, again])]), 'from builder')
  })

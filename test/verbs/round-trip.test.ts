import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { needs } from '../lane.js'
import { others } from '../proof/others.js'
import { insecure, newRegistryScene } from './registry-scene.js'

const scene = await newRegistryScene()

test('an image goes from podman through the registry into a container, and as another image back to podman', async (t) => {
  if (!needs(t, 'podman', 'skopeo', 'buildah')) return
  const { ok, remote, server } = scene
  const tools = others(scene)
  mkdirSync(scene.at('rootfs/bin'), { recursive: true })
  cpSync('/bin/busybox', scene.at('rootfs/bin/busybox'), { dereference: true })
  const container = await tools.ok('buildah', 'from', 'scratch')
  await tools.ok('buildah', 'copy', container, scene.at('rootfs'), '/')
  await tools.ok('buildah', 'commit', '-q', container, 'localhost/base:1')
  await tools.ok('podman', 'push', '-q', insecure, 'localhost/base:1', remote('base:1'))

  const base = `${server.host}/base:1`
  await ok(['pull', insecure, base])
  assert.equal(await ok(['images', '--format', '{{.Name}}:{{.Tag}}']), base)
  const c = await ok(['from', '--pull=never', base])
  assert.equal(await ok(['run', c, '/bin/busybox', 'echo', 'it runs']), 'it runs')
  await ok(['run', c, '/bin/busybox', 'sh', '-c', '/bin/busybox echo new >/file'])
  await ok(['config', '--cmd', '["/bin/busybox","cat","/file"]', c])
  const id = await ok(['commit', c, `${server.host}/web:1`])
  const digest = await ok(['push', insecure, '--digestfile', scene.at('digest'), `${server.host}/web:1`])
  assert.equal(readFileSync(scene.at('digest'), 'utf8'), digest)

  await tools.ok('podman', 'pull', '-q', insecure, `${server.host}/web:1`)
  assert.equal(await tools.ok('podman', 'image', 'inspect', '--format', '{{.Id}}', `${server.host}/web:1`), id)
  const shown = JSON.parse(await tools.ok('skopeo', 'inspect', insecure, remote('web:1')))
  assert.equal(shown.Digest, digest)
  assert.match(shown.LayersData?.at(-1)?.MIMEType ?? 'gzip', /gzip/)
  // buildah's chroot runs also where podman's runtime may not.
  const again = await tools.ok('buildah', 'from', '--pull-never', `${server.host}/web:1`)
  assert.equal(await tools.ok('buildah', 'run', again, '--', '/bin/busybox', 'cat', '/file'), 'new')
})

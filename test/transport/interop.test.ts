import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import { hexOf } from '../../sdk/image/digest.js'
import { findImage } from '../../sdk/store/find-image.js'
import { layerDiff } from '../../sdk/store/layers.js'
import { layoutFaults } from '../oci-rules.js'
import { type OtherTools, otherTools, rootfs } from './other-tools.js'
import { type Bench, copy, host, newBench, put, type Sample, sampleImage } from './sample.js'

const kinds = ['oci', 'oci-archive', 'docker-archive', 'dir'] as const

describe('skopeo reads what is written here', () => {
  for (const kind of kinds)
    for (const compression of ['none', 'gzip', 'zstd'] as const)
      it(`${kind}, layers ${compression}`, async () => {
        await using bench = await newBench()
        const { skopeo } = otherTools(bench)
        const image = sampleImage({ compression })
        await put(bench, image, place(bench, kind, 'image'))
        skopeo('copy', place(bench, kind, 'image'), `dir:${bench.at('out')}`)
        const manifest = JSON.parse(readFileSync(bench.at('out/manifest.json'), 'utf8'))
        assert.equal(manifest.config.digest, image.config.digest)
        if (kind === 'docker-archive') return
        assert.equal(skopeo('manifest-digest', bench.at('out/manifest.json')), image.top.digest)
        assert.equal(JSON.parse(skopeo('inspect', place(bench, kind, 'image'))).Architecture, 'amd64')
      })

  for (const kind of ['oci', 'oci-archive', 'dir'] as const)
    it(`${kind} with a Docker manifest`, async () => {
      await using bench = await newBench()
      const { skopeo } = otherTools(bench)
      const image = sampleImage({ docker: true })
      // skopeo 1.9 finds by their name only OCI manifests in a layout.
      await put(bench, image, `${kind}:${bench.at('image')}`)
      skopeo('copy', `${kind}:${bench.at('image')}`, `dir:${bench.at('out')}`)
      assert.equal(skopeo('manifest-digest', bench.at('out/manifest.json')), image.top.digest)
    })

  it('the store itself, as oci:', async () => {
    await using bench = await newBench()
    const { skopeo } = otherTools(bench)
    const image = sampleImage()
    await put(bench, image, 'web')
    await put(bench, sampleImage({ files: ['other'] }), 'other')
    skopeo('copy', `oci:${bench.store.root}:localhost/web:latest`, `dir:${bench.at('out')}`)
    assert.equal(skopeo('manifest-digest', bench.at('out/manifest.json')), image.top.digest)
  })
})

describe('what skopeo writes is read here', () => {
  const formats = [
    ['as it is', []],
    ['gzip', ['--dest-compress', '--dest-compress-format', 'gzip']],
    ['zstd', ['--dest-compress', '--dest-compress-format', 'zstd']],
    ['Docker schema 2', ['--format', 'v2s2']],
  ] as const
  // A docker archive has a format of its own, and an OCI layout no Docker manifests (skopeo 1.9).
  for (const kind of kinds)
    for (const [title, options] of formats)
      if (
        !(kind === 'docker-archive' && options.length > 0) &&
        !(kind.startsWith('oci') && title === 'Docker schema 2')
      )
        it(`${kind}, ${title}`, async () => {
          await using bench = await newBench()
          const { skopeo } = otherTools(bench)
          const image = sampleImage({ compression: 'none' })
          await put(bench, image, place(bench, 'dir', 'start'))
          skopeo('copy', ...options, place(bench, 'dir', 'start'), place(bench, kind, 'image'))
          await readHere(bench, place(bench, kind, 'image'), image)
        })
})

describe('what buildah and podman write is read here', () => {
  let bench: Bench
  let tools: OtherTools
  before(async () => {
    bench = await newBench()
    tools = otherTools(bench)
    const container = tools.buildah('from', 'scratch')
    tools.buildah('copy', container, rootfs(bench), '/')
    tools.buildah('config', '--cmd', '/bin/busybox', '--env', 'A=b', '--label', 'l=m', container)
    for (const kind of kinds) tools.buildah('commit', '-q', container, place(bench, kind, `buildah-${kind}`))
    tools.buildah('commit', '-q', container, 'localhost/web:latest')
    tools.buildah('commit', '-q', '--format', 'docker', container, 'localhost/other:latest')
    for (const format of ['oci-archive', 'docker-archive', 'oci-dir', 'docker-dir'])
      tools.podman('save', '-q', '--format', format, '-o', bench.at(`podman-${format}`), 'localhost/web')
    tools.podman('save', '-q', '-m', '-o', bench.at('podman-several'), 'localhost/web', 'localhost/other')
  })
  after(() => bench[Symbol.asyncDispose]())

  for (const [title, text] of [
    ...kinds.map((kind) => [`buildah ${kind}`, (at: Bench['at']) => `${kind}:${at(`buildah-${kind}`)}`] as const),
    ['podman oci-archive', (at: Bench['at']) => `oci-archive:${at('podman-oci-archive')}`],
    ['podman docker-archive', (at: Bench['at']) => `docker-archive:${at('podman-docker-archive')}`],
    ['podman oci-dir', (at: Bench['at']) => `oci:${at('podman-oci-dir')}`],
    ['podman docker-dir', (at: Bench['at']) => `dir:${at('podman-docker-dir')}`],
    ['podman, several images', (at: Bench['at']) => `docker-archive:${at('podman-several')}:localhost/web:latest`],
    ['podman, several images, by place', (at: Bench['at']) => `docker-archive:${at('podman-several')}:@1`],
  ] as const)
    it(title, async () => {
      await copy(bench, text(bench.at), 'got')
      const { config } = await findImage(bench.store, 'got', 'test')
      assert.deepEqual(config.config?.Cmd, ['/bin/busybox'])
      assert.deepEqual(config.config?.Labels?.l, 'm')
      const [diffID] = config.rootfs.diff_ids
      assert.ok(diffID)
      const program = statSync(join(layerDiff(bench.store, diffID), 'bin/busybox'))
      assert.deepEqual([program.size, program.uid], [statSync('/bin/busybox').size, 0])
      assert.deepEqual(layoutFaults(bench.store.root), [])
    })
})

describe('podman and buildah load and run what is written here', () => {
  let bench: Bench
  let tools: OtherTools
  let id: string
  before(async () => {
    bench = await newBench()
    tools = otherTools(bench)
    const container = tools.buildah('from', 'scratch')
    tools.buildah('copy', container, rootfs(bench), '/')
    tools.buildah('config', '--cmd', '/bin/busybox', container)
    tools.buildah('commit', '-q', container, `oci:${bench.at('start')}:start`)
    await copy(bench, `oci:${bench.at('start')}`, 'localhost/mine')
    id = (await findImage(bench.store, 'mine', 'test')).id
    for (const kind of kinds) await copy(bench, 'mine', place(bench, kind, kind))
  })
  after(() => bench[Symbol.asyncDispose]())

  for (const kind of ['oci-archive', 'docker-archive'] as const)
    it(`podman load: ${kind}`, () => {
      tools.podman('load', '-q', '-i', bench.at(kind))
      assert.equal(tools.podman('image', 'inspect', '--format', '{{.Id}}', 'localhost/mine:1'), id)
    })

  for (const kind of [...kinds, 'store'] as const)
    it(`buildah from and run: ${kind}`, () => {
      const from = kind === 'store' ? `oci:${bench.store.root}:localhost/mine:latest` : place(bench, kind, kind)
      const container = tools.buildah('from', from)
      assert.equal(tools.buildah('inspect', '--format', '{{.FromImageID}}', container), id)
      assert.equal(tools.buildah('run', container, '--', '/bin/busybox', 'echo', 'it runs'), 'it runs')
      tools.buildah('rm', container)
    })

  it('umoci unpacks a layout', () => {
    const rootless = process.getuid?.() === 0 && isNamespace() ? ['--rootless'] : []
    host(['umoci', 'unpack', ...rootless, '--image', `${bench.at('oci')}:localhost/mine:1`, bench.at('bundle')])
    assert.ok(existsSync(bench.at('bundle/rootfs/bin/busybox')))
  })
})

function place(bench: Bench, kind: (typeof kinds)[number], name: string): string {
  return `${kind}:${bench.at(name)}${kind === 'dir' ? '' : ':localhost/mine:1'}`
}

/** Brings an image here; its layers must unpack to the ones it was made of, and all documents must hold to the rules. */
async function readHere(bench: Bench, from: string, image: Sample): Promise<void> {
  await copy(bench, from, 'got')
  const found = await findImage(bench.store, 'got', 'test')
  assert.deepEqual(found.config.rootfs.diff_ids, image.diffIDs)
  if (found.manifest.config.mediaType === mediaTypes.config) assert.equal(found.id, hexOf(image.config.digest))
  assert.deepEqual(layoutFaults(bench.store.root), [])
  await copy(bench, 'got', `oci:${bench.at('again')}:again`)
  assert.deepEqual(layoutFaults(bench.at('again')), [])
}

/** True in a user namespace. */
function isNamespace(): boolean {
  return !/^\s*0\s+0\s/.test(readFileSync('/proc/self/uid_map', 'utf8'))
}

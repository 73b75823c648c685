import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isIndex, parseManifest } from '../../sdk/image/manifest.js'
import { copyImage, dockerArchive, type ImageSource, openSource } from '../../sdk/transport/transport.js'
import { otherTools } from './other-tools.js'
import { type Bench, failsWith, host, namesIn, newBench, type Sample, sampleImage, sampleSource } from './sample.js'

const image = sampleImage({ files: ['a', 'b'], compression: 'none' })
const other = sampleImage({ files: ['a', 'other'], compression: 'none' })
const sharing = sampleImage({ files: ['a', 'more'], compression: 'gzip' })

describe('docker-archive: several images in one', () => {
  it('each is found by its name, and a layer of both is there once', async () => {
    await using bench = await newBench()
    const written = [image, ['web:1', 'web:2']] as const
    await writeAll(bench, [written, [sharing, ['more']], [other, []]])
    const entries = host(['tar', '-tf', bench.at('out')])
      .trim()
      .split('\n')
    assert.equal(new Set(entries).size, entries.length)
    assert.equal(entries.filter((name) => name.endsWith('.tar')).length, 4, 'a, b, more, other')
    for (const [ref, wanted] of [
      ['web:2', image],
      ['more', sharing],
      ['@2', other],
    ] as const) {
      await using source = await openSource(bench.store, `docker-archive:${bench.at('out')}:${ref}`)
      assert.equal(await configOf(source), wanted.config.digest)
    }
    await assert.rejects(
      openSource(bench.store, `docker-archive:${bench.at('out')}`),
      failsWith('USAGE', 'it holds 3 images; name one of: docker.io/library/web:1, docker.io/library/more:latest, @2'),
    )
  })

  it('the same image twice is one with both names; a name goes to who asks last', async () => {
    await using bench = await newBench()
    const list = await writeAll(bench, [
      [image, ['a', 'b']],
      [image, ['c']],
      [other, ['b']],
    ])
    const full = (name: string) => `docker.io/library/${name}:latest`
    assert.deepEqual(
      list.map(({ RepoTags }) => RepoTags),
      [[full('a'), full('c')], [full('b')]],
    )
  })

  it('none, or one that fails, leaves no file', async () => {
    await using bench = await newBench()
    const before = namesIn(bench.folder)
    await assert.rejects(writeAll(bench, []), failsWith('INVALID', 'nothing was written'))
    const absent = { ...other, blobs: new Map([...other.blobs].filter((_, i) => i !== 1)) }
    await assert.rejects(
      writeAll(bench, [
        [image, ['a']],
        [absent, ['b']],
      ]),
      failsWith('NOT_FOUND'),
    )
    assert.deepEqual(namesIn(bench.folder), before)
  })

  it('podman and skopeo read them all', async () => {
    await using bench = await newBench()
    await writeAll(bench, [
      [image, ['localhost/web:1']],
      [other, ['localhost/other:1']],
    ])
    const { podman, skopeo } = otherTools(bench)
    podman('load', '-q', '-i', bench.at('out'))
    for (const [name, wanted] of [
      ['web', image],
      ['other', other],
    ] as const) {
      const id = podman('image', 'inspect', '--format', '{{.Id}}', `localhost/${name}:1`)
      assert.equal(`sha256:${id}`, wanted.config.digest)
      skopeo('inspect', `docker-archive:${bench.at('out')}:localhost/${name}:1`)
    }
  })
})

/** Writes them into one archive, and gives its manifest.json. */
async function writeAll(bench: Bench, images: readonly (readonly [Sample, readonly string[]])[]) {
  await using archive = await dockerArchive(bench.store, bench.at('out'))
  for (const [sample, names] of images) {
    await using sink = archive.image(names)
    await copyImage(sampleSource(sample), sink)
  }
  await archive.finish()
  return JSON.parse(host(['tar', '-xOf', bench.at('out'), 'manifest.json'])) as readonly { RepoTags: unknown }[]
}

async function configOf(source: ImageSource) {
  const manifest = parseManifest((await source.top()).bytes, 'test')
  return isIndex(manifest) ? undefined : manifest.config.digest
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openSink, openSource } from '../../sdk/transport/transport.js'
import { type Bench, failsWith, host, newBench, put, sampleImage, sampleIndex } from './sample.js'

describe('ostree', () => {
  for (const mode of ['archive', 'bare-user', 'bare-user-only'])
    it(`gives back the manifest from a repository of the mode ${mode}`, async () => {
      await using bench = await newBench()
      repository(bench, mode)
      const image = sampleImage()
      await put(bench, image, `ostree:web@${bench.at('repo')}`)
      assert.equal(await topOf(bench, `ostree:web:latest@${bench.at('repo')}`), image.top.digest)
      assert.deepEqual(refs(bench), ['ociimage/docker.io_2Flibrary_2Fweb_3Alatest'])
    })

  it('holds an index with all its images', async () => {
    await using bench = await newBench()
    repository(bench)
    const index = sampleIndex([sampleImage(), sampleImage({ files: ['other'] })])
    await put(bench, index, `ostree:me/web:1@${bench.at('repo')}`)
    assert.equal(await topOf(bench, `ostree:docker.io/me/web:1@${bench.at('repo')}`), index.top.digest)
  })

  it('gives equal images equal trees, keeps a shared layer once, and keeps what was before', async () => {
    await using bench = await newBench()
    repository(bench)
    for (const name of ['a', 'b', 'a']) await put(bench, sampleImage(), `ostree:${name}@${bench.at('repo')}`)
    const [a, b] = refs(bench)
    const sums = [a, b].map((ref) =>
      ostree(bench, 'ls', '-dC', ref as string, '/')
        .split(/\s+/)
        .slice(4, 6)
        .join(),
    )
    assert.equal(sums[0], sums[1])
    assert.equal(ostree(bench, 'log', a as string).match(/^commit /gm)?.length, 2)
    const objects = host(['find', bench.at('repo/objects'), '-name', '*.file'])
      .trim()
      .split('\n')
    assert.equal(objects.length, 6, 'a layout, an index, a manifest, a configuration, two layers')
  })

  for (const [title, text, code, reason] of [
    ['a name that is not there', (at: string) => `ostree:other@${at}`, 'NOT_FOUND', 'no image of that name'],
    [
      'a repository that is not there',
      (at: string) => `ostree:web@${at}/none`,
      'NOT_FOUND',
      'is not an ostree repository',
    ],
    ['no name', (at: string) => `ostree:@${at}`, 'USAGE', 'is not a name'],
    ['a name in capital letters', (at: string) => `ostree:Web@${at}`, 'USAGE', 'is not a name'],
    ['a way up', (at: string) => `ostree:../web@${at}`, 'USAGE', 'is not a name'],
  ] as const)
    it(`refuses ${title}`, async () => {
      await using bench = await newBench()
      repository(bench)
      await assert.rejects(openSource(bench.store, text(bench.at('repo'))), failsWith(code, reason))
    })

  it('without the program, names its package', async () => {
    await using bench = await newBench()
    const { PATH } = process.env
    process.env.PATH = bench.folder
    try {
      const missing = failsWith('UNSUPPORTED', 'install the package ostree')
      await assert.rejects(openSource(bench.store, `ostree:web@${bench.at('repo')}`), missing)
      await assert.rejects(openSink(bench.store, `ostree:web@${bench.at('repo')}`), missing)
    } finally {
      process.env.PATH = PATH
    }
  })
})

function repository(bench: Bench, mode = 'bare-user-only'): void {
  ostree(bench, 'init', `--mode=${mode}`)
  ostree(bench, 'config', 'set', 'core.fsync', 'false')
}

function ostree(bench: Bench, ...args: readonly string[]): string {
  return host(['ostree', `--repo=${bench.at('repo')}`, ...args])
}

function refs(bench: Bench): readonly string[] {
  return ostree(bench, 'refs').trim().split('\n').sort()
}

async function topOf(bench: Bench, text: string): Promise<string> {
  await using source = await openSource(bench.store, text)
  return (await source.top()).digest
}

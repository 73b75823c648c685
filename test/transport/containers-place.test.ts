import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { parseContainersPlace } from '../../sdk/transport/containers-place.js'
import { isRootless } from '../../sdk/transport/tool.js'
import { openSource } from '../../sdk/transport/transport.js'
import { copy, failsWith, host, newBench, put, sampleImage, write } from './sample.js'

const variables = ['CONTAINERS_STORAGE_CONF', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_RUNTIME_DIR', 'HOME'] as const

describe('containers-storage: where it is', () => {
  const kept = new Map<string, string | undefined>()
  beforeEach(() => {
    for (const name of variables) kept.set(name, process.env[name])
  })
  afterEach(() => {
    for (const [name, value] of kept) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })

  for (const [text, wanted] of [
    ['[/a]web', { driver: 'overlay', root: '/a', image: 'web' }],
    ['[vfs@/a]web:1', { driver: 'vfs', root: '/a', image: 'web:1' }],
    ['[vfs@/a+/b]@abcdef012345', { driver: 'vfs', root: '/a', runroot: '/b', image: '', id: 'abcdef012345' }],
    ['[overlay@/a+/b:overlay.x=1,overlay.y=2]h:5000/a/web:1', { root: '/a', image: 'h:5000/a/web:1' }],
  ] as const)
    it(text, () => {
      const { specifier, options, ...place } = parseContainersPlace(text, text)
      assert.deepEqual({ ...place, ...wanted }, place)
      assert.equal(specifier, text.slice(0, text.indexOf(']') + 1))
      assert.deepEqual(options, text.includes(':overlay') ? ['overlay.x=1', 'overlay.y=2'] : [])
    })

  it('storage.conf names it', async () => {
    await using bench = await newBench()
    const text = `[other]\ngraphroot = "/no"\n[storage]\n driver = "vfs"\n#graphroot = "/no"\ngraphroot = '/var/x' # why\n[storage.options]\ndriver = "no"\n`
    process.env.CONTAINERS_STORAGE_CONF = write(bench.at('storage.conf'), text)
    const { driver, root } = parseContainersPlace('web', 'test')
    assert.deepEqual([driver, root], ['vfs', '/var/x'])
  })

  it("without any, it is root's, or in the user's data folder", async () => {
    await using bench = await newBench()
    for (const name of ['CONTAINERS_STORAGE_CONF', 'XDG_DATA_HOME']) process.env[name] = ''
    process.env.XDG_CONFIG_HOME = bench.folder
    process.env.HOME = bench.folder
    const { root } = parseContainersPlace('web', 'test')
    if (isRootless()) assert.equal(root, bench.at('.local/share/containers/storage'))
    else assert.match(root, /^\//)
  })

  it('the tools find the same one', async () => {
    await using bench = await newBench()
    mkdirSync(bench.at('run-dir'), { mode: 0o700 })
    const storage = `[storage]\ndriver = "vfs"\nrunroot = "${bench.at('rr')}"\ngraphroot = "${bench.at('mine')}"\n`
    process.env.CONTAINERS_STORAGE_CONF = write(bench.at('storage.conf'), storage)
    process.env.XDG_RUNTIME_DIR = bench.at('run-dir')
    process.env.HOME = bench.folder
    const image = sampleImage({ compression: 'none' })
    await put(bench, image, 'containers-storage:localhost/web:1')
    assert.match(host(['cat', bench.at('mine/vfs-images/images.json')]), /localhost\/web:1/)
    const { digest } = await copy(bench, 'containers-storage:web:1', `oci:${bench.at('out')}`)
    assert.equal(digest, image.top.digest)
  })

  it('where there is none, that is said', async () => {
    await using bench = await newBench()
    const none = `containers-storage:[${bench.at('none')}]web`
    await assert.rejects(openSource(bench.store, none), failsWith('NOT_FOUND', 'there is no storage of containers in'))
  })
})

import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { openSink, openSource } from '../../sdk/transport/transport.js'
import { otherTools } from './other-tools.js'
import { richImage } from './rich.js'
import { type Bench, copy, failsWith, host, newBench, put, sampleImage, write } from './sample.js'

describe('containers-storage: what podman and buildah keep is read', () => {
  for (const driver of ['vfs', 'overlay'])
    it(`with the driver ${driver}, every byte, without a program`, async () => {
      await using bench = await newBench()
      const image = richImage(bench, 'none')
      try {
        await put(bench, image, storage(bench, 'localhost/rich:1', driver))
        const copied = await withPath(bench.folder, () => copy(bench, storage(bench, 'rich:1', driver), out(bench)))
        assert.equal(copied.digest, image.top.digest, 'uncompressed layers keep the manifest')
      } finally {
        host(['sh', '-c', `umount "$1" 2>/dev/null || true`, 'sh', bench.at('cs/overlay')])
      }
    })

  it('an image with a layer in an additional storage is fetched by a tool', async () => {
    await using bench = await newBench()
    const image = sampleImage({ files: ['common', 'own'] })
    const extra = `containers-storage:[vfs@${bench.at('extra')}+${bench.at('extrarun')}]`
    await put(bench, sampleImage({ files: ['common'] }), `${extra}base`)
    const both = storage(bench, 'web').replace(']', `:vfs.imagestore=${bench.at('extra')}]`)
    await put(bench, image, both)
    for (const tool of ['skopeo', 'buildah', 'podman']) {
      const to = `oci:${bench.at(`by-${tool}`)}`
      await withPath(programsIn(bench, tool), () => copy(bench, both, to))
      await using source = await openSource(bench.store, to)
      const { config } = JSON.parse(Buffer.from((await source.top()).bytes).toString())
      assert.equal(config.digest, image.config.digest, tool)
    }
    assert.deepEqual(readdirSync(bench.at('store/tmp')), [])
    await withPath(bench.folder, () =>
      assert.rejects(openSource(bench.store, both), failsWith('UNSUPPORTED', 'skopeo or buildah')),
    )
  })

  it('an image that buildah made, found by its name, its ID and both', async () => {
    await using bench = await newBench()
    const { buildah } = otherTools(bench)
    const container = buildah('from', 'scratch')
    buildah('config', '--cmd', '/bin/true', container)
    buildah('copy', container, write(bench.at('file'), 'text'), '/')
    const id = buildah('commit', '-q', container, 'localhost/made:1')
    const where = `containers-storage:[vfs@${bench.at('tools/root')}+${bench.at('tools/run')}]`
    for (const text of ['localhost/made:1', 'made:1', `@${id}`, `made@${id}`, id.slice(0, 12)]) {
      await using source = await openSource(bench.store, `${where}${text}`)
      const { config } = JSON.parse(Buffer.from((await source.top()).bytes).toString())
      assert.equal(config.digest, `sha256:${id}`, text)
    }
    await copy(bench, `${where}made:1`, out(bench))
  })
})

describe('containers-storage: what is written', () => {
  for (const tool of ['skopeo', 'buildah', 'podman'])
    it(`by ${tool} alone, podman has with its digest and ID`, async () => {
      await using bench = await newBench()
      for (const docker of [false, true]) {
        const image = sampleImage({ docker, files: [`docker ${docker}`] })
        const programs = programsIn(bench, tool)
        await withPath(programs, () => put(bench, image, toTools(bench, 'web:1')))
        const { podman } = otherTools(bench)
        const format = '{{.Id}} {{.Digest}} {{.RepoTags}}'
        const { digest } = image.top
        const id = image.config.digest.slice(7)
        assert.equal(
          podman('image', 'inspect', '--format', format, 'web:1'),
          `${id} ${digest} [docker.io/library/web:1]`,
        )
      }
    })

  it('without a program, names the package', async () => {
    await using bench = await newBench()
    await withPath(bench.folder, () =>
      assert.rejects(
        openSink(bench.store, storage(bench, 'web')),
        failsWith('UNSUPPORTED', 'install the package skopeo'),
      ),
    )
  })
})

describe('containers-storage: what is refused', () => {
  for (const [text, reason] of [
    ['', 'it has no name'],
    ['[vfs@relative]web', 'it is not [DRIVER@ROOT+RUNROOT]NAME'],
    ['[vfs@/a', 'it is not [DRIVER@ROOT+RUNROOT]NAME'],
    ['web@xyz', 'not an image ID'],
  ] as const)
    it(`"${text}"`, async () => {
      await using bench = await newBench()
      await assert.rejects(openSource(bench.store, `containers-storage:${text}`), failsWith('USAGE', reason))
    })

  it('a name to write that is an ID', async () => {
    await using bench = await newBench()
    await assert.rejects(
      openSink(bench.store, storage(bench, `web@${'a'.repeat(12)}`)),
      failsWith('USAGE', 'not an ID'),
    )
  })

  it('a name that is not there, and tells what is', async () => {
    await using bench = await newBench()
    await put(bench, sampleImage(), storage(bench, 'localhost/web:1'))
    const missing = failsWith('NOT_FOUND', 'it has: localhost/web:1')
    await assert.rejects(openSource(bench.store, storage(bench, 'other')), missing)
  })

  it('a file that another program changed', async () => {
    await using bench = await newBench()
    await put(bench, sampleImage(), storage(bench, 'web'))
    writeFileSync(join(firstLayer(bench), 'file0'), 'altered')
    await assert.rejects(copy(bench, storage(bench, 'web'), out(bench)), failsWith('DIGEST'))
  })

  it('a file that became a link to another one, and a folder that leads out', async () => {
    await using bench = await newBench()
    await put(bench, sampleImage(), storage(bench, 'web'))
    const layer = firstLayer(bench)
    cpSync(join(layer, 'file0'), bench.at('elsewhere/file0'))
    rmSync(join(layer, 'file0'))
    symlinkSync(bench.at('elsewhere/file0'), join(layer, 'file0'))
    await assert.rejects(copy(bench, storage(bench, 'web'), out(bench)), failsWith('DIGEST', 'cannot be read'))
    symlinkSync(bench.at('elsewhere'), join(layer, 'away'))
    for (const name of ['away/file0', '../../../../elsewhere/file0']) {
      rename(bench, name)
      await assert.rejects(
        copy(bench, storage(bench, 'web'), out(bench)),
        failsWith('INVALID', 'leads out of its layer'),
      )
    }
  })
})

function storage(bench: Bench, image: string, driver = 'vfs'): string {
  return `containers-storage:[${driver}@${bench.at('cs')}+${bench.at('csrun')}]${image}`
}

function toTools(bench: Bench, image: string): string {
  return `containers-storage:[vfs@${bench.at('tools/root')}+${bench.at('tools/run')}]${image}`
}

function out(bench: Bench): string {
  return `oci:${bench.at('out')}`
}

/** The files of the layer that has no other below it. */
function firstLayer(bench: Bench): string {
  const folder = bench.at('cs/vfs/dir')
  const names = readdirSync(folder).map((name) => join(folder, name))
  return names.sort((a, b) => readdirSync(a).length - readdirSync(b).length)[0] as string
}

/** Gives the first layer's file another name in what is kept of its tar. */
function rename(bench: Bench, name: string): void {
  for (const file of readdirSync(bench.at('cs/vfs-layers')).filter((it) => it.endsWith('.gz'))) {
    const path = join(bench.at('cs/vfs-layers'), file)
    const text = gunzipSync(readFileSync(path)).toString()
    writeFileSync(path, gzipSync(text.replace(/"name":"[^"]*file0"/, `"name":"${name}"`)))
  }
}

/** A folder with links to one tool, and to what it starts itself. */
function programsIn(bench: Bench, tool: string): string {
  const folder = bench.at(`bin-${tool}`)
  mkdirSync(folder, { recursive: true })
  for (const name of [tool, 'newuidmap', 'newgidmap', 'crun', 'runc', 'conmon', 'zstd']) {
    const found = host(['sh', '-c', `command -v ${name} || true`]).trim()
    if (found && !readdirSync(folder).includes(name)) symlinkSync(found, join(folder, name))
  }
  return folder
}

/** Does something with another PATH. */
async function withPath<T>(path: string, work: () => Promise<T>): Promise<T> {
  const { PATH } = process.env
  process.env.PATH = path
  try {
    return await work()
  } finally {
    process.env.PATH = PATH
  }
}

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { BuilderError, type ErrorCode } from '../../sdk/errors.js'
import { type Digest, digestOf } from '../../sdk/image/digest.js'
import { isIndex, parseManifest } from '../../sdk/image/manifest.js'
import { decompress } from '../../sdk/layer/compress.js'
import { openStore } from '../../sdk/store/store.js'
import { copyImage, type ImageSource, openSink, openSource } from '../../sdk/transport/transport.js'
import {
  add,
  type Bench,
  copy,
  duplicate,
  failsWith,
  namesIn,
  newBench,
  put,
  resealed,
  type Sample,
  sampleImage,
  sampleSource,
  storeContent,
} from './sample.js'

/** Every transport, as a place for the image `name` in `path`. */
const transports = [
  { kind: 'oci', text: (path: string, name: string) => `oci:${path}:${name}`, second: 'kept' },
  { kind: 'oci-archive', text: (path: string, name: string) => `oci-archive:${path}:${name}`, second: 'replaced' },
  { kind: 'docker-archive', text: (path: string, name: string) => `docker-archive:${path}:${name}`, second: 'refused' },
  { kind: 'dir', text: (path: string) => `dir:${path}`, second: 'replaced' },
  { kind: 'local', text: (_: string, name: string) => `localhost/${name}:1`, second: 'kept' },
] as const
type Transport = (typeof transports)[number]

for (const transport of transports) {
  const { kind } = transport
  const at = (bench: Bench, name = 'one') => transport.text(bench.at('image'), name)

  describe(`transport ${kind}`, () => {
    for (const compression of ['none', 'gzip', 'zstd'] as const)
      for (const docker of [false, true])
        it(`gives back what was put: ${docker ? 'Docker' : 'OCI'} manifest, layers ${compression}`, async () => {
          await using bench = await newBench()
          const image = sampleImage({ compression, docker })
          const copied = await put(bench, image, at(bench))
          assert.equal(copied.digest, image.top.digest)
          const found = await essence(await openSource(bench.store, at(bench)))
          assert.deepEqual(found.diffIDs, image.diffIDs)
          assert.equal(found.config, image.config.digest)
          if (kind !== 'docker-archive') assert.equal(found.manifest, image.top.digest)
        })

    it('holds a layer that occurs twice, and an image without layers', async () => {
      for (const files of [['same', 'other', 'same'], []]) {
        await using bench = await newBench()
        const image = sampleImage({ files })
        await put(bench, image, at(bench))
        assert.deepEqual((await essence(await openSource(bench.store, at(bench)))).diffIDs, image.diffIDs)
      }
    })

    it(`a second image of another name is ${transport.second}`, async () => {
      await using bench = await newBench()
      const [one, two] = [sampleImage({ files: ['one'] }), sampleImage({ files: ['two'] })]
      await put(bench, one, at(bench))
      if (transport.second === 'refused') {
        await assert.rejects(put(bench, two, at(bench, 'two')), failsWith('EXISTS', 'the archive exists'))
      } else {
        await put(bench, two, at(bench, 'two'))
        assert.equal((await essence(await openSource(bench.store, at(bench, 'two')))).config, two.config.digest)
      }
      if (transport.second === 'replaced') return
      assert.equal((await essence(await openSource(bench.store, at(bench)))).config, one.config.digest)
    })

    if (kind !== 'docker-archive')
      it('a second image of the same name takes the place of the first', async () => {
        await using bench = await newBench()
        const [one, two] = [sampleImage({ files: ['one'] }), sampleImage({ files: ['two'] })]
        await put(bench, one, at(bench))
        await put(bench, two, at(bench))
        assert.equal((await essence(await openSource(bench.store, at(bench)))).config, two.config.digest)
      })

    if (kind !== 'dir')
      it('a name that is not there is NOT_FOUND', async () => {
        await using bench = await newBench()
        await put(bench, sampleImage(), at(bench))
        await assert.rejects(openSource(bench.store, at(bench, 'other')), failsWith('NOT_FOUND'))
      })

    it('a place that is not there is NOT_FOUND', async () => {
      await using bench = await newBench()
      await assert.rejects(openSource(bench.store, at(bench)), failsWith('NOT_FOUND'))
    })

    it('truncated at many points, it is refused or whole', async () => {
      await damage(transport, (path, size, step) => truncateSync(path, Math.floor((size * step) / steps)))
    })

    it('with a byte altered at many points, it is refused or the same image', async () => {
      await damage(transport, (path, size, step) => {
        const bytes = readFileSync(path)
        const place = Math.min(size - 1, Math.floor((size * (step + 0.37)) / steps))
        bytes[place] = (bytes[place] as number) ^ 0x15
        writeFileSync(path, bytes)
      })
    })

    for (const [title, image, code, text] of badImages())
      if (!title.startsWith('*') || kind === 'docker-archive' || kind === 'local')
        it(`refuses ${title.replace('* ', '')} and leaves nothing`, async () => {
          await using bench = await newBench()
          await put(bench, sampleImage({ files: ['one'] }), at(bench, 'before')).catch(() => {})
          const before = [namesIn(bench.folder), storeContent(bench)]
          const to = kind === 'docker-archive' ? `docker-archive:${bench.at('new')}` : at(bench)
          await assert.rejects(put(bench, image, to), failsWith(code, text))
          assert.deepEqual([namesIn(bench.folder), storeContent(bench)], before)
        })

    it('stopped in the middle, it leaves nothing', async () => {
      await using bench = await newBench()
      const before = [namesIn(bench.folder), storeContent(bench)]
      const stop = new AbortController()
      const source = sampleSource(sampleImage(), async () => stop.abort())
      const copying = async () => {
        await using sink = await openSink(bench.store, at(bench))
        await copyImage(source, sink, { all: true, signal: stop.signal })
      }
      await assert.rejects(copying(), failsWith('ABORTED'))
      assert.deepEqual([namesIn(bench.folder), storeContent(bench)], before)
    })

    it('tells how far each blob is', async () => {
      await using bench = await newBench()
      const image = sampleImage({ files: ['one', 'two', 'three'] })
      const seen = new Map<Digest, string[]>()
      await put(bench, image, at(bench), {
        all: true,
        onProgress: ({ digest, state, bytes, total }) => {
          assert.ok(bytes <= total)
          seen.set(digest, [...(seen.get(digest) ?? []), `${state} ${bytes}`])
        },
      })
      for (const { digest, size } of [...image.layers, image.config])
        assert.deepEqual(seen.get(digest), ['copying 0', 'copying 10', `copying ${size}`, `done ${size}`])
    })
  })
}

const steps = 24

/** Puts an image, damages each of its files in many ways, and copies what is then there to a new layout. */
async function damage(transport: Transport, harm: (path: string, size: number, step: number) => void): Promise<void> {
  await using bench = await newBench()
  const image = sampleImage()
  const isLocal = transport.kind === 'local'
  await put(bench, image, transport.text(bench.at('image'), 'one'))
  const whole = bench.at(isLocal ? 'store' : 'image')
  for (const part of partsOf(whole))
    for (let step = 0; step < steps; step++) {
      const broken = duplicate(whole, bench.at('broken'))
      const path = join(broken, part)
      harm(path, statSync(path).size, step)
      await refusedOrSame(bench, image, isLocal, transport.text(broken, 'one'), `${part} ${step}`)
    }
}

async function refusedOrSame(bench: Bench, image: Sample, isLocal: boolean, text: string, what: string) {
  const out = bench.at('out')
  const before = namesIn(bench.folder)
  try {
    const root = bench.at('broken')
    const store = isLocal ? await openStore({ root, runroot: bench.at('run') }) : bench.store
    await copy({ ...bench, store }, text, `oci:${out}`)
  } catch (error) {
    assert.ok(error instanceof BuilderError, `${what}: ${(error as Error).stack}`)
    assert.ok(
      ['INVALID', 'DIGEST', 'NOT_FOUND', 'UNSUPPORTED', 'UNSAFE'].includes(error.code),
      `${what}: ${error.code}`,
    )
    assert.deepEqual(namesIn(bench.folder), before, what)
    return
  }
  const found = await essence(await openSource(bench.store, `oci:${out}`))
  assert.deepEqual([found.config, found.diffIDs], [image.config.digest, image.diffIDs], what)
  rmSync(out, { recursive: true })
}

function partsOf(path: string): string[] {
  if (statSync(path).isFile()) return ['']
  const names = readdirSync(path, { recursive: true }).map(String)
  return names.filter(
    (name) => /^(blobs|index|oci-layout|[0-9a-f]{64}|manifest)/.test(name) && statSync(join(path, name)).isFile(),
  )
}

/** What an image consists of, read back; every layer is decompressed and hashed. Disposes of the source. */
async function essence(opened: ImageSource) {
  await using source = opened
  const top = await source.top()
  assert.equal(digestOf(top.bytes), top.digest)
  const manifest = parseManifest(top.bytes, 'test')
  assert.ok(!isIndex(manifest))
  const diffIDs: Digest[] = []
  for (const layer of manifest.layers) diffIDs.push(digestOf(await all(decompress(await source.blob(layer)))))
  const config = digestOf(await all(await source.blob(manifest.config)))
  return { manifest: top.digest, config, diffIDs }
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Images that no sink may take; those marked with a star are wrong only for who reads configurations. */
function badImages(): readonly (readonly [string, Sample, ErrorCode | readonly ErrorCode[], string])[] {
  const base = () => sampleImage({ files: ['bad', 'worse'] })
  const withLayer = (image: Sample, change: object) =>
    resealed(image, image.config, [{ ...(image.layers[0] as Sample['config']), ...change }, ...image.layers.slice(1)])
  const size = (base().layers[0]?.size ?? 0) as number
  const withConfig = (text: string) => {
    const image = base()
    return resealed(image, add(image.blobs, image.config.mediaType, text), image.layers)
  }
  const without = base()
  without.blobs.delete((without.layers[1] as Sample['config']).digest)
  const altered = base()
  const last = (altered.layers[1] as Sample['config']).digest
  altered.blobs.set(last, Buffer.from(altered.blobs.get(last) ?? []).fill(0, 20, 21))
  const empty = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }
  return [
    ['a layer larger than its size', withLayer(base(), { size: size - 1 }), 'DIGEST', 'bytes'],
    ['a layer smaller than its size', withLayer(base(), { size: size + 1 }), 'DIGEST', 'bytes'],
    ['an altered layer', altered, 'DIGEST', 'digest'],
    ['a missing layer', without, 'NOT_FOUND', 'no blob'],
    ['a digest that is none', withLayer(base(), { digest: 'sha256:../../etc/passwd' }), 'INVALID', 'digest'],
    ['a manifest over 4 MiB', sampleImage({ annotations: { big: 'x'.repeat(4 << 20) } }), 'INVALID', 'more than'],
    ['* a configuration that is not JSON', withConfig('{"os":'), 'INVALID', 'not valid JSON'],
    ['* a configuration without rootfs', withConfig('{"os":"linux","architecture":"amd64"}'), 'INVALID', 'rootfs'],
    ['* a configuration with other layers', withConfig(JSON.stringify(empty)), 'INVALID', 'layers'],
  ]
}

import assert from 'node:assert/strict'
import { chmodSync, lstatSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { BuilderError, type ErrorCode } from '../../sdk/errors.js'
import { type Digest, digestOf } from '../../sdk/image/digest.js'
import { isIndex, parseManifest } from '../../sdk/image/manifest.js'
import { decompress } from '../../sdk/layer/compress.js'
import { openStore } from '../../sdk/store/store.js'
import { copyImage, type ImageSource, openSink, openSource } from '../../sdk/transport/transport.js'
import { lane } from '../lane.js'
import { type Engine, startEngine } from './engine.js'
import { benchFor, type Place, places } from './places.js'
import { richImage, sharedLayer } from './rich.js'
import {
  add,
  type Bench,
  copy,
  duplicate,
  failsWith,
  namesIn,
  put,
  resealed,
  type Sample,
  sampleImage,
  sampleSource,
  storeContent,
  tarOf,
} from './sample.js'

let engine: Engine | undefined
if (lane() === 'root') {
  before(async () => {
    engine = await startEngine()
    process.env.DOCKER_HOST = engine.host
  })
  after(() => engine?.[Symbol.asyncDispose]())
}

for (const place of places) {
  const at = (bench: Bench, name = 'one') => place.text(bench.at('image'), name)

  describe(`transport ${place.kind}`, () => {
    for (const compression of ['none', 'gzip', 'zstd'] as const)
      for (const docker of [false, true])
        it(`gives back what was put: ${docker ? 'Docker' : 'OCI'} manifest, layers ${compression}`, async () => {
          await using bench = await benchFor(place)
          const image = sampleImage({ compression, docker })
          if (docker && compression === 'zstd' && place.isOldDocker) {
            await assert.rejects(put(bench, image, at(bench)), failsWith('UNSUPPORTED', 'Docker manifest'))
            return
          }
          const copied = await put(bench, image, at(bench))
          assert.equal(copied.digest, image.top.digest)
          const found = await essence(await openSource(bench.store, at(bench)))
          assert.deepEqual(found.diffIDs, image.diffIDs)
          assert.equal(found.config, image.config.digest)
          if (place.keeps === 'all' || (place.keeps === 'plain' && compression === 'none'))
            assert.equal(found.manifest, image.top.digest)
        })

    it('gives back every byte of large and odd layers, and one that two images share', async () => {
      await using bench = await benchFor(place)
      const other = sampleImage({ tars: [sharedLayer, tarOf({ own: 'own\n' })] })
      for (const [name, image] of [
        ['other', other],
        ['one', richImage(bench)],
      ] as const) {
        const text = place.isOnce ? place.text(bench.at(`image-${name}`), name) : at(bench, name)
        await put(bench, image, text)
        const found = await essence(await openSource(bench.store, text))
        assert.deepEqual([found.config, found.diffIDs], [image.config.digest, image.diffIDs])
      }
    })

    it('holds a layer that occurs twice, and an image without layers', async () => {
      for (const files of [['same', 'other', 'same'], ...(place.needsLayers ? [] : [[]])]) {
        await using bench = await benchFor(place)
        const image = sampleImage({ files })
        await put(bench, image, at(bench))
        assert.deepEqual((await essence(await openSource(bench.store, at(bench)))).diffIDs, image.diffIDs)
      }
    })

    it(`a second image of another name is ${place.second}`, async () => {
      await using bench = await benchFor(place)
      const [one, two] = [sampleImage({ files: ['one'] }), sampleImage({ files: ['two'] })]
      await put(bench, one, at(bench))
      if (place.second === 'refused') {
        await assert.rejects(put(bench, two, at(bench, 'two')), failsWith('EXISTS', 'the archive exists'))
      } else {
        await put(bench, two, at(bench, 'two'))
        assert.equal((await essence(await openSource(bench.store, at(bench, 'two')))).config, two.config.digest)
      }
      if (place.second === 'replaced') return
      assert.equal((await essence(await openSource(bench.store, at(bench)))).config, one.config.digest)
    })

    if (!place.isOnce)
      it('a second image of the same name takes the place of the first', async () => {
        await using bench = await benchFor(place)
        const [one, two] = [sampleImage({ files: ['one'] }), sampleImage({ files: ['two'] })]
        await put(bench, one, at(bench))
        await put(bench, two, at(bench))
        assert.equal((await essence(await openSource(bench.store, at(bench)))).config, two.config.digest)
      })

    if (!place.isNameless)
      it('a name that is not there is NOT_FOUND', async () => {
        await using bench = await benchFor(place)
        await put(bench, sampleImage(), at(bench))
        await assert.rejects(openSource(bench.store, at(bench, 'other')), failsWith('NOT_FOUND'))
      })

    it('a place that is not there is NOT_FOUND', async () => {
      await using bench = await benchFor(place)
      await assert.rejects(openSource(bench.store, at(bench)), failsWith('NOT_FOUND'))
    })

    if (place.damage) {
      it('truncated at many points, it is refused or whole', async () => {
        await damage(place, (path, size, share) => truncateSync(path, Math.floor(size * share)))
      })

      it('with a byte altered at many points, it is refused or the same image', async () => {
        await damage(place, (path, size, share) => {
          const bytes = readFileSync(path)
          const where = Math.min(size - 1, Math.floor(size * share) + 1)
          bytes[where] = (bytes[where] as number) ^ 0x15
          chmodSync(path, 0o644)
          writeFileSync(path, bytes)
        })
      })
    }

    for (const [title, image, code, text] of badImages())
      if (!title.startsWith('*') || place.readsConfig)
        it(`refuses ${title.replace('* ', '')} and leaves nothing`, async () => {
          await using bench = await benchFor(place)
          await put(bench, sampleImage({ files: ['one'] }), at(bench, 'before')).catch(() => {})
          const before = [namesIn(bench.folder), storeContent(bench)]
          const to = place.isOnce ? place.text(bench.at('new'), 'one') : at(bench)
          await assert.rejects(put(bench, image, to), failsWith(code, text))
          assert.deepEqual([namesIn(bench.folder), storeContent(bench)], before)
          if (!place.isNameless) await assert.rejects(openSource(bench.store, to), failsWith('NOT_FOUND'))
        })

    it('stopped in the middle, it leaves nothing', async () => {
      await using bench = await benchFor(place)
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
      await using bench = await benchFor(place)
      const image = sampleImage({ files: ['one', 'two', 'three'] })
      const seen = new Map<Digest, string[]>()
      await put(bench, image, at(bench), {
        all: true,
        onProgress: ({ digest, state, bytes, total }) => {
          assert.ok(bytes <= total)
          seen.set(digest, [...(seen.get(digest) ?? []), `${state} ${bytes}`])
        },
      })
      for (const { digest, size } of [...image.layers, image.config]) {
        const copying = ['copying 0', 'copying 10', `copying ${size}`]
        assert.deepEqual(seen.get(digest), ['waiting 0', ...copying, `finishing ${size}`, `done ${size}`])
      }
    })
  })
}

/** Puts an image, damages each of its files in many ways, and copies what is then there to a new layout. */
async function damage(place: Place, harm: (path: string, size: number, share: number) => void): Promise<void> {
  await using bench = await benchFor(place)
  const image = sampleImage()
  const isLocal = place.kind === 'local'
  const { parts, steps } = place.damage as Exclude<Place['damage'], undefined>
  await put(bench, image, place.text(bench.at('image'), 'one'))
  const whole = bench.at(isLocal ? 'store' : 'image')
  for (const part of filesIn(whole).filter((name) => parts.test(name)))
    for (let step = 0; step < steps; step++) {
      const broken = duplicate(whole, bench.at('broken'))
      const path = join(broken, part)
      harm(path, statSync(path).size, step / steps)
      await refusedOrSame(bench, image, isLocal, place.text(broken, 'one'), `${part} ${step}`)
    }
}

async function refusedOrSame(bench: Bench, image: Sample, isLocal: boolean, text: string, what: string) {
  const out = bench.at('out')
  const names = () => namesIn(bench.folder).filter((name) => !name.startsWith('broken'))
  const before = names()
  try {
    const root = bench.at('broken')
    const store = isLocal ? await openStore({ root, runroot: bench.at('run') }) : bench.store
    await copy({ ...bench, store }, text, `oci:${out}`)
  } catch (error) {
    assert.ok(error instanceof BuilderError, `${what}: ${(error as Error).stack}`)
    const codes = ['INVALID', 'DIGEST', 'NOT_FOUND', 'UNSUPPORTED', 'UNSAFE', 'RUN']
    assert.ok(codes.includes(error.code), `${what}: ${error.code}`)
    assert.deepEqual(names(), before, what)
    return
  }
  const found = await essence(await openSource(bench.store, `oci:${out}`))
  assert.deepEqual([found.config, found.diffIDs], [image.config.digest, image.diffIDs], what)
  rmSync(out, { recursive: true })
}

function filesIn(path: string): string[] {
  if (statSync(path).isFile()) return ['']
  const names = readdirSync(path, { recursive: true }).map(String)
  return names.filter((name) => lstatSync(join(path, name)).isFile())
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

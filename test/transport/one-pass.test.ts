import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import { type Digest, digestOf } from '../../sdk/image/digest.js'
import { hasBlob } from '../../sdk/store/blobs.js'
import { hasLayer, removeLayer } from '../../sdk/store/layers.js'
import { copyImage, openSink } from '../../sdk/transport/transport.js'
import { command, lane, top } from '../lane.js'
import {
  add,
  type Bench,
  failsWith,
  newBench,
  put,
  resealed,
  type Sample,
  sampleImage,
  sampleSource,
  storeContent,
  tarOf,
} from './sample.js'

describe('a layer that arrives', () => {
  it('is unpacked before its last byte has come, and shows only after it', async () => {
    await using bench = await newBench()
    const image = bigLayer()
    let [names, wasVisible]: [string[], boolean] = [[], false]
    const source = sampleSource(image)
    const cut = {
      ...source,
      async blob(descriptor: Parameters<typeof source.blob>[0]) {
        const bytes = image.blobs.get(descriptor.digest) as Uint8Array
        return (async function* () {
          for (let at = 0; at < bytes.length; at += 100_000) {
            if (at + 100_000 >= bytes.length && bytes.length > 1_000_000) {
              names = namesOfDrafts(bench)
              wasVisible = isVisible(bench, image)
            }
            yield bytes.subarray(at, at + 100_000)
          }
        })()
      },
    }
    await using sink = await openSink(bench.store, 'web')
    await copyImage(cut, sink, { all: true })
    assert.deepEqual(names, ['first'])
    assert.equal(wasVisible, false)
    assert.equal(isVisible(bench, image), true)
  })

  for (const [size, hashes] of [
    ['in this thread', 40_000],
    ['in another thread', 160_000],
  ] as const)
    for (const [title, change] of [
      ['altered', (bytes: Buffer) => bytes.fill(0x55, 300_000, 300_100)],
      ['cut off', (bytes: Buffer) => bytes.subarray(0, -1000)],
      ['too long', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(10)])],
      ['something else', (bytes: Buffer) => Buffer.alloc(bytes.length, 'no tar ')],
    ] as const)
      it(`is refused ${size} when its blob is ${title}: the digest or the size is the reason, not the tar`, async () => {
        await using bench = await newBench()
        const image = bigLayer(hashes)
        const { digest } = image.layers[0] as Sample['config']
        image.blobs.set(digest, change(Buffer.from(image.blobs.get(digest) as Uint8Array)))
        await assert.rejects(put(bench, image, 'web'), failsWith('DIGEST', digest))
        assert.deepEqual(storeContent(bench), [])
      })

  for (const [title, end] of [
    ['stopped while its bytes do not come', 'abort'],
    ['more than it may be, while its bytes do not come', 'bomb'],
  ] as const)
    it(`in another thread is ${title}: nothing stays`, async (t) => {
      await using bench = await newBench()
      const image = end === 'bomb' ? largeBomb() : bigLayer(160_000)
      t.after(() => delete process.env.BUILDER_LAYER_RATIO)
      process.env.BUILDER_LAYER_RATIO = '1'
      const stopper = new AbortController()
      await using sink = await openSink(bench.store, 'web')
      const copied = copyImage(
        silent(image, () => end === 'abort' && stopper.abort()),
        sink,
        { all: true, signal: stopper.signal },
      )
      await assert.rejects(
        copied,
        end === 'abort' ? failsWith('ABORTED') : failsWith('UNSAFE', 'more than 1 times as many'),
      )
      await sink[Symbol.asyncDispose]()
      assert.deepEqual(storeContent(bench), [])
    })

  it('comes from the blob that the store has, when only its files are gone', async () => {
    await using bench = await newBench()
    const image = sampleImage()
    await put(bench, image, 'web')
    await removeLayer(bench.store, image.diffIDs[0] as Digest)
    const states: string[] = []
    await put(bench, image, 'web', { all: true, onProgress: ({ state }) => state === 'waiting' || states.push(state) })
    assert.deepEqual(states, ['exists', 'exists', 'exists'])
    assert.ok(hasLayer(bench.store, image.diffIDs[0] as Digest))
  })

  it('that another blob has brought is kept only when it is the same layer', async () => {
    await using bench = await newBench()
    const image = sampleImage({ files: ['one'], compression: 'none' })
    await put(bench, image, 'web')
    const before = storeContent(bench)
    for (const content of ['two', 'much longer'.repeat(1000)]) {
      const other = sampleImage({ files: [content] })
      const [layer] = other.layers as [Sample['config']]
      const lying = resealed({ ...other, blobs: new Map([...other.blobs, ...image.blobs]) }, image.config, [layer])
      await assert.rejects(put(bench, lying, 'lie'), failsWith('DIGEST', 'configuration says'))
      assert.deepEqual(storeContent(bench), before)
    }
  })

  it('that is a decompression bomb ends in a clear error, and leaves nothing', async () => {
    await using bench = await newBench()
    const image = sampleImage({ files: ['one'] })
    const bomb = add(image.blobs, mediaTypes.layerGzip, gzipSync(tarOf({ zeros: Buffer.alloc(64 << 20) })))
    await put(bench, resealed(image, image.config, [bomb]), `oci:${bench.at('bomb')}`)
    mkdirSync(bench.at('disk'))
    const env = { BUILDER: `${top}/bin/builder`, DISK: bench.at('disk'), BOMB: bench.at('bomb') }
    const enter = lane() === 'root' ? ['unshare', '-m'] : [env.BUILDER, 'unshare']
    const { stdout, stderr } = await command([...enter, 'sh', '-c', smallDisk], { env })
    assert.match(
      stderr,
      /its 65\d+ bytes decompress to more than \d+, nine tenths of what .* disk has free; if you trust/,
    )
    assert.equal(stdout, '125\n0 left\n')
  })
})

/** Pulls into a store on a disk of 32 MiB that only this script sees. */
const smallDisk = `
mount -t tmpfs -o size=32m small "$DISK" || exit 99
"$BUILDER" --root "$DISK/root" --runroot "$DISK/run" pull "oci:$BOMB"
echo $?
echo "$(ls "$DISK/root/tmp" "$DISK/root/layers" | grep -c '[0-9a-f]{64}') left"
umount -l "$DISK"
`

/** A layer of 32 bytes for each of so many hashes. From 4 MiB on it has a thread of its own. */
function bigLayer(hashes = 40_000): Sample {
  const image = sampleImage({ files: ['one'], compression: 'none' })
  const noise = Buffer.from(Array.from({ length: hashes }, (_, i) => digestOf(String(i)).slice(7)).join(''), 'hex')
  const tar = tarOf({ first: noise, second: 'at the end' })
  const layer = add(image.blobs, mediaTypes.layer, tar)
  const settings = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digestOf(tar)] } }
  const config = add(image.blobs, mediaTypes.config, JSON.stringify(settings))
  return { ...resealed(image, config, [layer]), diffIDs: [digestOf(tar)] }
}

/** A blob of more than 4 MiB, of which the first 300 KB decompress to 320 MiB. */
function largeBomb(): Sample {
  const image = sampleImage({ files: ['one'] })
  const noise = Buffer.alloc((4 << 20) + 20)
  for (let at = 0; at + 32 <= noise.length; at += 32) noise.write(digestOf(String(at)).slice(7), at, 'hex')
  const zeros = gzipSync(Buffer.alloc(64 << 20))
  const start = gzipSync(tarOf({ first: 'x' }))
  const bytes = Buffer.concat([start, ...Array.from({ length: 5 }, () => zeros), noise])
  return resealed(image, image.config, [add(image.blobs, mediaTypes.layerGzip, bytes)])
}

/** Its layer brings all but its last 1000 bytes, and then nothing for ever. */
function silent(image: Sample, onSilence: () => unknown): ReturnType<typeof sampleSource> {
  const source = sampleSource(image)
  return {
    ...source,
    async blob(descriptor) {
      if (descriptor.size < 4 << 20) return source.blob(descriptor)
      const bytes = image.blobs.get(descriptor.digest) as Uint8Array
      return (async function* () {
        yield bytes.subarray(0, -1000)
        onSilence()
        await new Promise(() => {})
      })()
    },
  }
}

function namesOfDrafts({ store }: Bench): string[] {
  const names = readdirSync(join(store.root, 'tmp'), { recursive: true }).map(String)
  return names.filter((name) => name.includes('/diff/')).map((name) => name.split('/').at(-1) ?? '')
}

function isVisible({ store }: Bench, image: Sample): boolean {
  const { digest } = image.layers[0] as Sample['config']
  return hasBlob(store, digest) || hasLayer(store, image.diffIDs[0] as Digest)
}

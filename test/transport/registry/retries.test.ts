import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { it } from 'node:test'
import { localSink } from '../../../sdk/transport/local-sink.js'
import { type CopyProgress, copyImage, openSink, openSource } from '../../../sdk/transport/transport.js'
import { type Bench, newBench, type Sample, sampleImage, sampleSource } from '../sample.js'
import { startOwnRegistry } from './own-registry.js'
import { startWire } from './wire.js'

const options = { registry: { tlsVerify: false }, patience: { delay: 5, stall: 500 } }

/** One layer of 24 MB. */
const image = sampleImage({ files: [randomBytes(600_000).toString('hex')], compression: 'none' })

/** The states of the layer, each as often as it changed, and the reasons to try again. */
function watch({ layers: [layer] }: Sample) {
  const states: string[] = []
  const retries: CopyProgress[] = []
  const onProgress = (progress: CopyProgress) => {
    if (progress.digest !== layer?.digest) return
    if (states.at(-1) !== progress.state) states.push(progress.state)
    if (progress.state === 'retrying') retries.push(progress)
  }
  return { states, retries, onProgress }
}

function checkRetry({ states, retries: [retry] }: ReturnType<typeof watch>, host: string) {
  assert.equal(states.filter((state) => state === 'retrying').length, 1)
  assert.equal(states.at(-1), 'done')
  assert.ok(retry && retry.bytes > 1e6, `${retry?.bytes}`)
  assert.match(retry.retry?.reason ?? '', new RegExp(`^${host}: .*connection`))
  assert.ok((retry.retry?.seconds ?? 1) < 0.1)
}

async function withBench(work: (bench: Bench) => Promise<void>) {
  await using bench = await newBench()
  await work(bench)
}

it('who pulls over a broken wire hears that it is tried again, and why', (_t) =>
  withBench(async (bench) => {
    await using registry = await startOwnRegistry()
    registry.hold(image, '1')
    await using wire = await startWire(registry.host, (n) => (n === 1 ? { down: 9_000_000 } : undefined))
    const heard = watch(image)
    await using source = await openSource(bench.store, `docker://${wire.host}/web:1`, options)
    await using sink = await localSink(bench.store, [], 'store')
    await copyImage(source, sink, { all: true, onProgress: heard.onProgress })
    checkRetry(heard, wire.host)
    assert.deepEqual(heard.states, ['waiting', 'copying', 'retrying', 'copying', 'finishing', 'done'])
  }))

it('who pushes over a broken wire, too', (_t) =>
  withBench(async (bench) => {
    await using registry = await startOwnRegistry()
    await using wire = await startWire(registry.host, (n) => (n === 1 ? { up: 13_000_000 } : undefined))
    const heard = watch(image)
    await using sink = await openSink(bench.store, `docker://${wire.host}/web:1`, options)
    const source = sampleSource(image)
    const blob = async (descriptor: Sample['config']) => {
      const whole = await source.blob(descriptor)
      return (async function* () {
        for await (const piece of whole)
          for (let at = 0; at < piece.length; at += 500_000) yield piece.subarray(at, at + 500_000)
      })()
    }
    await copyImage({ ...source, blob }, sink, { onProgress: heard.onProgress })
    checkRetry(heard, wire.host)
  }))

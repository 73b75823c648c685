import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { saveStream } from '../../sdk/layer/fetch.js'
import { tempDir } from '../lane.js'

/** A stream that keeps silent, as a FIFO that nobody writes to. */
const silent = () => new PassThrough()

// An error that nobody listens for is an uncaught exception, which fails the test by itself.
const stops: readonly (readonly [name: string, stop: (stopper: AbortController, stream: PassThrough) => unknown])[] = [
  ['before it is saved', (stopper) => stopper.abort()],
  ['before its file is open', (stopper) => queueMicrotask(() => stopper.abort())],
  ['while it keeps silent', (stopper) => setTimeout(() => stopper.abort(), 20)],
  ['after its first bytes', (stopper, stream) => stream.write('x', () => stopper.abort())],
]
for (const [name, stop] of stops)
  test(`a stream that is stopped ${name} is closed, and nothing is left unhandled`, async (t) => {
    const [stopper, stream] = [new AbortController(), silent()]
    stop(stopper, stream)
    const saved = saveStream(stream, join(tempDir(t), 'file'), { signal: stopper.signal })
    await assert.rejects(saved, { name: 'AbortError' })
    await setImmediate()
    assert.ok(stream.destroyed)
  })

test('a stream that fails before its file is open: its own error, once', async (t) => {
  const stream = silent()
  const saved = saveStream(stream, join(tempDir(t), 'file'), {})
  stream.destroy(new Error('cut off'))
  await assert.rejects(saved, /cut off/)
  await setImmediate()
})

test('a stream whose file cannot be made is closed', async (t) => {
  const stream = silent()
  await assert.rejects(saveStream(stream, join(tempDir(t), 'none/file'), {}), { code: 'ENOENT' })
  assert.ok(stream.destroyed)
})

test('a whole stream is in its file', async (t) => {
  const file = join(tempDir(t), 'file')
  assert.equal(existsSync(file), false)
  await saveStream(silent().end('all of it'), file, { signal: new AbortController().signal })
  assert.equal(readFileSync(file, 'utf8'), 'all of it')
})

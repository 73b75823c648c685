import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BuilderError } from '../../sdk/errors.js'
import { sharedEngine, startEngine } from '../../sdk/namespace/engine.js'
import { startTimeOf } from '../../sdk/namespace/process.js'
import { command } from '../lane.js'

const entry = fileURLToPath(new URL('./engine-child.js', import.meta.url))
const script = fileURLToPath(new URL('./engine-script.js', import.meta.url))

test('an engine is root and gives back what it is asked', async () => {
  await using engine = await startEngine({ entry })
  assert.deepEqual(await engine.call('whoami', undefined), [0, engine.pid])
  assert.deepEqual(await engine.call('echo', { a: ['ü', null, 1] }), { a: ['ü', null, 1] })
})

test('errors cross with their code and their four parts', async () => {
  await using engine = await startEngine({ entry })
  const parts = { operation: 'from', object: 'web', reason: 'there is no such image', hint: 'builder images' }
  await assert.rejects(engine.call('fail', parts), (error) => {
    assert.ok(error instanceof BuilderError)
    const { operation, object, reason, hint } = error
    assert.deepEqual([error.code, { operation, object, reason, hint }], ['NOT_FOUND', parts])
    return true
  })
})

test('a signal stops a call and nothing else', async () => {
  await using engine = await startEngine({ entry })
  const stop = new AbortController()
  const waiting = engine.call('wait', undefined, { signal: stop.signal })
  const other = engine.call('echo', 1)
  stop.abort()
  await assert.rejects(waiting, { code: 'ABORTED' })
  assert.equal(await other, 1)
  await assert.rejects(engine.call('wait', undefined, { signal: stop.signal }), { code: 'ABORTED' })
})

test('an engine that is killed in the middle of a call is an error, and the next call has a new one', async () => {
  const first = await sharedEngine({ entry })
  await assert.rejects(first.call('die', undefined), { code: 'SYSTEM' })
  await using second = await sharedEngine({ entry })
  assert.notEqual(second.pid, first.pid)
  assert.equal(await second.call('echo', 2), 2)
  await assert.rejects(first.call('echo', 1), { code: 'SYSTEM' })
})

for (const [how, code] of [
  ['end', 0],
  ['exit', 3],
  ['throw', 1],
] as const) {
  test(`script: ${how}: it ends by itself, its engine with it, and the engine prints to standard error`, async () => {
    const ran = await command([process.execPath, script, how])
    assert.equal(ran.code, code, ran.stderr)
    assert.match(ran.stdout, /^\d+\n$/)
    assert.match(ran.stderr, /^from the engine\n/)
    await ended(Number(ran.stdout))
  })
}

test('a script that is killed takes its engine with it', async () => {
  const child = spawn(process.execPath, [script, 'hang'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const pid = Number(await new Promise((resolve) => child.stdout.once('data', resolve)))
  assert.ok(startTimeOf(pid))
  child.kill('SIGKILL')
  await ended(pid)
})

/** Fails by the test's own time limit. */
async function ended(pid: number): Promise<void> {
  while (startTimeOf(pid)) await setTimeout(10)
}

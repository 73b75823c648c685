import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BuilderError } from '../../sdk/errors.js'
import { startEngine } from '../../sdk/namespace/engine.js'
import { startTimeOf } from '../../sdk/namespace/process.js'
import { command } from '../lane.js'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const entry = here('serve-engine-entry.js')

const values: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['bytes', new Uint8Array([0, 255])],
  ['a big integer', 2n ** 63n],
  ['a date', new Date(0)],
  ['a map', new Map([['a', { b: undefined }]])],
  ['text that is not in UTF-8', '\udcff'],
]
for (const [name, value] of values) {
  test(`${name} crosses unchanged, both ways`, async () => {
    await using engine = await startEngine({ entry })
    assert.deepEqual(await engine.call('echo', value), value)
  })
}

test('an argument that cannot cross is a usage error, and the engine goes on', async () => {
  await using engine = await startEngine({ entry })
  await assert.rejects(engine.call('echo', { callback() {} }), { code: 'USAGE', operation: 'echo' })
  assert.equal(await engine.call('echo', 1), 1)
})

test('a result that cannot cross is an error, and the engine goes on', async () => {
  await using engine = await startEngine({ entry })
  await assert.rejects(engine.call('function', {}), BuilderError)
  assert.equal(await engine.call('echo', 1), 1)
})

test('events arrive in order, before the result', async () => {
  await using engine = await startEngine({ entry })
  const seen: unknown[] = []
  seen.push(await engine.call('count', {}, { onEvent: (event) => seen.push(event) }))
  assert.deepEqual(seen, [{ i: 1 }, { i: 2 }, { i: 3 }, 'done'])
})

test('a signal that fired before stops the call before it starts', async () => {
  await using engine = await startEngine({ entry })
  await assert.rejects(engine.call('deaf', {}, { signal: AbortSignal.abort() }), { code: 'ABORTED' })
})

test('an engine that cannot be loaded is an error at the call', async () => {
  await using engine = await startEngine({ entry, nodeOptions: ['--no-such-option'] })
  await assert.rejects(engine.call('echo', {}), { code: 'SYSTEM' })
})

test("a path of the engine's namespace is readable from here", async () => {
  await using engine = await startEngine({ entry })
  assert.equal(readFileSync(engine.path(entry), 'utf8'), readFileSync(entry, 'utf8'))
})

const scripts: readonly (readonly [string, string, string, number])[] = [
  ['an idle engine keeps no script alive', 'idle', '', 0],
  ['a killed engine is an error at the call, and the next call starts another', 'killed-engine', 'SYSTEM again\n', 0],
  ['disposing an engine ends its calls', 'dispose', 'SYSTEM SYSTEM\n', 0],
]
for (const [title, what, output, code] of scripts) {
  test(title, async () => {
    const ran = await command([process.execPath, here('serve-engine-script.js'), what])
    const [, pid, rest] = /^(\d+)\n(.*)$/s.exec(ran.stdout) ?? []
    assert.deepEqual([rest, ran.code, ran.stderr], [output, code, ''])
    await ended(Number(pid))
  })
}

async function ended(pid: number): Promise<void> {
  const start = startTimeOf(pid)
  while (start !== undefined && startTimeOf(pid) === start) await sleep(10)
}

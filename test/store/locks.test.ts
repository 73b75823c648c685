import assert from 'node:assert/strict'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { acquireLock, tryLock, withLock } from '../../sdk/store/locks.js'
import { self } from '../../sdk/store/owner.js'
import type { Store } from '../../sdk/store/store.js'
import { emptyStore, failure, startChild } from './fixture.js'

const own = { purpose: 'test' }

async function heldBy(store: Store, how: 'hold' | 'share') {
  const child = startChild('lock-child', store.root, how)
  await child.lines.next()
  return child
}

async function killed(store: Store, how: 'hold' | 'share') {
  const child = await heldBy(store, how)
  child.process.kill('SIGKILL')
  await child.ended
}

test('the task gives its result and the lock is free again, also when the task fails', async (t) => {
  const store = await emptyStore(t)
  assert.equal(await withLock(store, 'x', () => 7), 7)
  await assert.rejects(
    withLock(store, 'x', () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.deepEqual(readdirSync(join(store.root, 'locks')), [])
})

test('one task at a time, in one process as well', async (t) => {
  const store = await emptyStore(t)
  let running = 0
  const task = async () => {
    assert.equal(++running, 1)
    await new Promise((resolve) => setImmediate(resolve))
    running--
  }
  await Promise.all(Array.from({ length: 200 }, () => withLock(store, 'x', task)))
})

test('who must not wait is told who holds it', async (t) => {
  const store = await emptyStore(t)
  const child = await heldBy(store, 'hold')
  const error = await failure(withLock(store, 'held', () => {}, { wait: false }))
  assert.equal(error.code, 'IN_USE')
  assert.match(error.message, new RegExp(`process ${child.process.pid} holds it \\(hold it for a test\\)`))
  assert.equal(tryLock(store, 'held'), undefined)
  child.process.stdin?.end()
  await child.ended
  tryLock(store, 'held')?.release()
})

for (const [holder, taker, free] of [
  ['hold', {}, false],
  ['hold', { shared: true }, false],
  ['share', {}, false],
  ['share', { shared: true }, true],
] as const)
  test(`a lock held by ${holder} is ${free ? '' : 'not '}free for ${JSON.stringify(taker)}`, async (t) => {
    const store = await emptyStore(t)
    const child = await heldBy(store, holder)
    const lock = tryLock(store, 'held', taker)
    assert.equal(lock !== undefined, free)
    lock?.release()
    child.process.stdin?.end()
    await child.ended
  })

for (const how of ['hold', 'share'] as const)
  test(`the lock of a killed process (${how}) is broken`, async (t) => {
    const store = await emptyStore(t)
    await killed(store, how)
    const lock = tryLock(store, 'held', own)
    assert.ok(lock)
    lock.release()
    assert.deepEqual(
      readdirSync(join(store.root, 'locks'), { recursive: true }).filter((n) => n !== 'held.shared'),
      [],
    )
  })

/** A lock file of a process that cannot be: the kernel's largest pid is 2^22. */
function deadLock(store: Store, name: string, token: string): void {
  const { pidNamespace, boot } = self()
  symlinkSync(`4194305 1 ${pidNamespace} ${boot} ${token} nobody`, join(store.root, 'locks', name))
}

test('of many that find a dead lock, and its dead breaker, one at a time gets it', async (t) => {
  const store = await emptyStore(t)
  for (let round = 0; round < 3; round++) {
    writeFileSync(join(store.root, 'number'), '0')
    deadLock(store, 'number', '0badf00d')
    deadLock(store, 'break-0badf00d', '1badf00d')
    const children = Array.from({ length: 8 }, () => startChild('lock-child', store.root, 'count', '20'))
    const ends = await Promise.all(children.map(({ ended }) => ended))
    assert.deepEqual(ends, Array(8).fill({ end: 0, stderr: '' }))
    assert.equal(readFileSync(join(store.root, 'number'), 'utf8'), '160')
    assert.deepEqual(readdirSync(join(store.root, 'locks')), [])
  }
})

test('killing those who hold it at random loses nothing but their own turns', async (t) => {
  const store = await emptyStore(t)
  writeFileSync(join(store.root, 'number'), '0')
  const victims = Array.from({ length: 4 }, () => startChild('lock-child', store.root, 'count', '100000'))
  const worker = startChild('lock-child', store.root, 'count', '300')
  for (const victim of victims) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    victim.process.kill('SIGKILL')
    await victim.ended
  }
  assert.deepEqual(await worker.ended, { end: 0, stderr: '' })
  assert.ok(Number(readFileSync(join(store.root, 'number'), 'utf8')) >= 300)
})

for (const [title, target, broken] of [
  ['of another boot', () => `${process.pid} 1 ${self().pidNamespace} 00000000 0badf00d x`, true],
  [
    'of an older process with this pid',
    () => `${process.pid} 1 ${self().pidNamespace} ${self().boot} 0badf00d x`,
    true,
  ],
  ['that makes no sense', () => '../../etc/passwd', true],
  [
    'of this process',
    () => `${process.pid} ${self().startTime} ${self().pidNamespace} ${self().boot} 0badf00d x`,
    false,
  ],
] as const)
  test(`a lock ${title} is ${broken ? 'broken' : 'kept'}`, async (t) => {
    const store = await emptyStore(t)
    symlinkSync(target(), join(store.root, 'locks/x'))
    assert.equal(tryLock(store, 'x') !== undefined, broken)
  })

test('who waits long says so once, and gets it', async (t) => {
  const store = await emptyStore(t)
  const lock = await acquireLock(store, 'held', { purpose: 'a long\nnight' })
  const child = startChild('lock-child', store.root, 'hold')
  await new Promise((resolve) => child.process.stderr?.once('data', resolve))
  lock.release()
  await child.lines.next()
  child.process.stdin?.end()
  const { end, stderr } = await child.ended
  assert.equal(end, 0)
  assert.equal(stderr, `builder: waiting for the lock held: process ${process.pid} holds it (a long night)\n`)
})

test('a signal ends the waiting', async (t) => {
  const store = await emptyStore(t)
  const lock = await acquireLock(store, 'x', own)
  const stop = new AbortController()
  const waiting = failure(withLock(store, 'x', () => {}, { signal: stop.signal, purpose: 'commit web' }))
  stop.abort()
  const error = await waiting
  assert.equal(error.code, 'ABORTED')
  assert.match(error.message, /commit web/)
  lock.release()
  assert.deepEqual(readdirSync(join(store.root, 'locks')), [])
})

test('who shares may share once more while somebody waits to have it alone', async (t) => {
  const store = await emptyStore(t)
  const outer = await acquireLock(store, 'x', { shared: true })
  const alone = acquireLock(store, 'x')
  const inner = await acquireLock(store, 'x', { shared: true })
  inner.release()
  outer.release()
  ;(await alone).release()
})

for (const name of ['a/b', '../x', 'break-1', 'x.shared', 'n'.repeat(300), '.'])
  test(`a lock may be called ${name.slice(0, 10)}`, async (t) => {
    const store = await emptyStore(t)
    const lock = tryLock(store, name)
    assert.ok(lock)
    assert.equal(tryLock(store, name), undefined)
    assert.equal(readdirSync(join(store.root, 'locks')).length, 1)
    lock.release()
  })

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { top } from '../lane.js'

const { Tally } = await import(join(top, 'test/setup/tally.mjs'))

/** What node:test tells of a test, as the reporter writes it. */
function told(file: string, passed: boolean, name = 'works'): string {
  const failure = passed ? {} : { failureType: 'testCodeFailure', error: `${name} broke` }
  return JSON.stringify({
    kind: 'result',
    passed,
    file: `/base/${file}`,
    name,
    nesting: 0,
    isFile: false,
    ms: 1,
    ...failure,
  })
}

async function twice(first: readonly string[], second: readonly string[]) {
  const tally = new Tally()
  await tally.read('root', '/base', first)
  const again = tally.again()
  await again.read('root', '/base', second)
  tally.settle(again)
  return tally
}

test('what passes when it runs again alone is unsteady, and fails nothing', async () => {
  const tally = await twice([told('a.test.js', true), told('b.test.js', false)], [told('b.test.js', true)])
  assert.deepEqual([tally.failures, tally.unsteady.length, tally.passed, tally.finish()], [[], 1, 1, 0])
})

test('what fails again has failed', async () => {
  const first = [told('a.test.js', true), told('b.test.js', false), told('c.test.js', false)]
  const tally = await twice(first, [told('b.test.js', false, 'other'), told('c.test.js', true)])
  const titles = tally.failures.map(({ title }: { readonly title: string }) => title)
  assert.deepEqual([titles, tally.unsteady.length, tally.finish()], [['root b.test.js: works'], 1, 1])
})

test('what cannot run again alone has failed', async () => {
  const tally = await twice([told('a.test.js', true), told('cases.js', false)], [])
  assert.deepEqual([tally.failedFiles(), tally.failures.length, tally.finish()], [[], 1, 1])
})

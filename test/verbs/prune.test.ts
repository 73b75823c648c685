import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../sdk/store/temporary.js'
import { builder, tempDir } from '../lane.js'
import { refuses } from './cases.js'

/** A store with the steps that copied three files of 100 kB, the first of them a day old. */
async function kept(t: TestContext) {
  const store = tempDir(t)
  const verb = async (...words: string[]) => {
    const ran = await builder(words, { store })
    assert.equal(ran.code, 0, ran.stderr)
    return ran.stdout.trim()
  }
  const steps = join(store, 'root/cache/steps')
  const names = () => (existsSync(steps) ? readdirSync(steps) : [])
  const c = await verb('from', '--layers', 'scratch')
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    writeFileSync(join(store, name), Buffer.alloc(100_000, name))
    const known = new Set(names())
    await verb('copy', '-q', c, join(store, name), `/${name}`)
    const made = names().find((one) => !known.has(one)) as string
    const used = Date.now() / 1000 - ([86_400, 600, 0][i] ?? 0)
    utimesSync(join(steps, made), used, used)
  }
  await verb('rm', c)
  return { verb, names, layers: () => readdirSync(join(store, 'root/layers')).length }
}

test('a prune leaves the build cache, and images shows nothing of it', async (t) => {
  const { verb, names, layers } = await kept(t)
  assert.equal(await verb('images', '--noheading', '--all'), '')
  await verb('prune', '--all')
  assert.deepEqual([names().length, layers()], [3, 3])
  assert.match(await verb('check', '--deep'), /the store is whole: 0 images, 3 layers/)
})

const prunes: Readonly<Record<string, readonly [words: readonly string[], left: number]>> = {
  'all of it': [['--build-cache'], 0],
  'what was not used for an hour': [['--filter', 'until=1h'], 2],
  'what was not used for a minute and a half': [['--build-cache', '--filter', 'until=1m30s'], 1],
  'what was used before a time': [['--filter', 'until=2001-01-01T00:00:00Z'], 3],
  'what there is no room for': [['--keep-storage', '250k'], 2],
}
for (const [what, [words, left]] of Object.entries(prunes))
  test(`prune ${words.join(' ')} removes ${what}`, async (t) => {
    const { verb, names, layers } = await kept(t)
    const said = await verb('prune', ...words)
    assert.deepEqual([names().length, layers()], [left, left])
    if (left < 3) assert.match(said, new RegExp(`${3 - left} layers?, \\d+ blobs?, ${3 - left} steps?$`))
  })

test('packages that dnf and apt have fetched go with the build cache, and never while something is under way', async (t) => {
  const store = tempDir(t)
  const prune = async (...words: string[]) => (await builder(['prune', ...words], { store })).code
  await builder(['from', 'scratch'], { store })
  const [rpm, list] = [join(store, 'root/cache/dnf/packages/a.rpm'), join(store, 'root/cache/apt/lists/b/InRelease')]
  for (const file of [rpm, list]) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, 'x')
  }
  const there = () => [rpm, list].map((file) => existsSync(file))
  assert.deepEqual([await prune(), there()], [0, [true, true]])
  assert.deepEqual([await prune('--filter', 'until=1h'), there()], [0, [true, true]])
  const underWay = temporaryFolder({ root: join(store, 'root') })
  assert.deepEqual([await prune('--build-cache'), there()], [0, [true, true]])
  rmSync(underWay, { recursive: true })
  assert.deepEqual([await prune('--build-cache'), there()], [0, [false, false]])
})

refuses([
  [
    ['prune', '--filter', 'until=soon'],
    /prune --filter "until=soon": it is not until= with a duration or a time; write/,
  ],
  [['prune', '--filter', 'label=x'], /prune --filter "label=x": it is not until=/],
  [['prune', '--keep-storage', 'much'], /prune --keep-storage much: it is not a size; write for example 10g/],
])

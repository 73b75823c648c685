import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Digest } from '../../sdk/image/digest.js'
import { exportSteps } from '../../sdk/steps/export.js'
import { openImportedSteps } from '../../sdk/steps/import.js'
import { stateDigest, stepKey } from '../../sdk/steps/key.js'
import { lookUpStep } from '../../sdk/steps/look-up.js'
import { recordStep } from '../../sdk/steps/record.js'
import type { Step, StepResult } from '../../sdk/steps/step.js'
import { checkStore } from '../../sdk/store/check.js'
import { createContainer } from '../../sdk/store/containers.js'
import { hasLayer, layerDiff } from '../../sdk/store/layers.js'
import { sealStep } from '../../sdk/store/seal-step.js'
import type { Store } from '../../sdk/store/store.js'
import { tempDir } from '../lane.js'
import { emptyStore, failure, scratchConfig, write } from '../store/fixture.js'

const parent = stateDigest({ layers: [], config: { os: 'linux', architecture: 'amd64' } })

function stepOf(name: string): Step {
  return { verb: 'run', parent, inputs: { command: ['make', name], env: { TOKEN: 'hidden-word' } } }
}

/** A store that keeps three steps: two with a layer, one that printed something. */
async function keeping(t: TestContext) {
  const store = await emptyStore(t)
  const results = new Map<Digest, StepResult>()
  for (const name of ['a', 'b', 'none']) {
    const container = await createContainer(store, { config: scratchConfig })
    if (name !== 'none') write(store, container, { [name]: `content of ${name}` })
    const sealed = await sealStep(store, container.id, { epoch: 0 })
    const output = name === 'none' ? { output: { stdout: 'said', stderr: '', exitCode: 0 } } : {}
    const result = { ...sealed, ...output, created: '2026-01-01T00:00:00Z' }
    const step = stepOf(name)
    await recordStep(store, step, stepKey(step), result)
    results.set(stepKey(step), result)
  }
  return { store, results, keys: [...results.keys()] }
}

function take(from: AsyncDisposable & { take: Awaited<ReturnType<typeof openImportedSteps>>['take'] }, name: string) {
  return from.take(stepOf(name), stepKey(stepOf(name)))
}

for (const transport of ['oci', 'dir', 'oci-archive'])
  test(`another store takes steps from ${transport}:, and only the layers of those that it takes`, async (t) => {
    const { store, results, keys } = await keeping(t)
    const place = `${transport}:${join(tempDir(t), 'cache')}`
    assert.deepEqual(await exportSteps(store, keys, place).then(({ steps, layers }) => [steps, layers]), [3, 2])
    const other = await emptyStore(t)
    await using from = await openImportedSteps(other, place)
    assert.equal(from.size, 3)
    const [a, b, none] = ['a', 'b', 'none'].map((name) => results.get(stepKey(stepOf(name))))
    assert.deepEqual(await take(from, 'a'), a)
    assert.deepEqual(await take(from, 'none'), none)
    assert.equal(await take(from, 'other'), undefined)
    assert.ok(a?.layer && b?.layer)
    assert.equal(readFileSync(join(layerDiff(other, a.layer.diffID), 'a'), 'utf8'), 'content of a')
    assert.equal(hasLayer(other, b.layer.diffID), false)
    assert.deepEqual(await lookUpStep(other, stepKey(stepOf('a'))), a)
    assert.deepEqual((await checkStore(other, { deep: true })).problems, [])
  })

test('the same steps give the same image, and it tells nothing of what they were', async (t) => {
  const { store, keys } = await keeping(t)
  const folder = join(tempDir(t), 'cache')
  const [first, second] = [
    await exportSteps(store, keys, `dir:${folder}`),
    await exportSteps(store, [...keys].reverse(), `oci:${tempDir(t)}/again`),
  ]
  assert.equal(first.digest, second.digest)
  for (const name of readdirSync(folder))
    assert.doesNotMatch(readFileSync(join(folder, name), 'latin1'), /hidden-word|make/)
})

test('steps that are not kept any more are left out', async (t) => {
  const { store, keys } = await keeping(t)
  rmSync(join(store.root, 'cache/steps'), { recursive: true })
  const { steps, layers } = await exportSteps(store, keys, `dir:${tempDir(t)}/cache`)
  assert.deepEqual([steps, layers], [0, 0])
})

/** A cache in a folder, whose configuration says something else than it was written with. */
async function lying(
  t: TestContext,
  change: (config: Config, folder: string) => void,
): Promise<{ store: Store; place: string }> {
  const { store, keys } = await keeping(t)
  const folder = join(tempDir(t), 'cache')
  await exportSteps(store, keys, `dir:${folder}`)
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest
  const before = join(folder, manifest.config.digest.slice(7))
  const config = JSON.parse(readFileSync(before, 'utf8')) as Config
  change(config, folder)
  const text = JSON.stringify(config)
  const digest = createHash('sha256').update(text).digest('hex')
  writeFileSync(before, text)
  renameSync(before, join(folder, digest))
  const said = { ...manifest, config: { ...manifest.config, digest: `sha256:${digest}`, size: text.length } }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(said))
  return { store: await emptyStore(t), place: `dir:${folder}` }
}

interface Manifest {
  readonly config: { readonly digest: string; readonly size: number }
  readonly layers: readonly { readonly digest: string }[]
}
interface Config {
  rootfs: { diff_ids: string[] }
  'builder.steps'?: { version: string; entries: { key: string; layer?: { diffID: string; size: number } }[] }
}

const lies: Readonly<Record<string, readonly [change: (config: Config) => void, error: RegExp]>> = {
  'that is an image like others': [(it) => delete it['builder.steps'], /it is no cache: it carries no steps; name one/],
  'with a key that is none': [
    (it) => Object.assign(it['builder.steps']?.entries[0] ?? {}, { key: '../../x' }),
    /is damaged/,
  ],
  'with a layer that is none': [
    (it) => Object.assign(it['builder.steps']?.entries[0] ?? {}, { layer: '/etc' }),
    /is damaged/,
  ],
  'with more layers than its manifest': [
    (it) => it.rootfs.diff_ids.push(`sha256:${'0'.repeat(64)}`),
    /2 layers, its configuration 3/,
  ],
}
for (const [what, [change, error]] of Object.entries(lies))
  test(`a cache ${what} is refused`, async (t) => {
    const { store, place } = await lying(t, change)
    assert.match((await failure(openImportedSteps(store, place))).message, error)
  })

test('a cache that gives its layers other digests fails when a step is taken, and leaves nothing', async (t) => {
  const { store, place } = await lying(t, (it) => {
    const other = `sha256:${'0'.repeat(64)}`
    it.rootfs.diff_ids = it.rootfs.diff_ids.map((_, i) => `sha256:${String(i).repeat(64)}`)
    for (const one of it['builder.steps']?.entries ?? []) if (one.layer) one.layer.diffID = other
  })
  await using from = await openImportedSteps(store, place)
  assert.equal((await failure(take(from, 'a'))).code, 'DIGEST')
  assert.equal(existsSync(join(store.root, 'cache/steps')), false)
  assert.deepEqual(readdirSync(join(store.root, 'layers')), [])
})

test('a cache whose layer was altered, or is gone, fails when a step is taken', async (t) => {
  const { store, place } = await lying(t, () => {})
  const folder = place.slice(4)
  const { layers } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest
  for (const { digest } of layers) writeFileSync(join(folder, digest.slice(7)), 'something else')
  await using from = await openImportedSteps(store, place)
  assert.equal((await failure(take(from, 'a'))).code, 'DIGEST')
  for (const { digest } of layers) rmSync(join(folder, digest.slice(7)))
  assert.equal((await failure(take(from, 'a'))).code, 'NOT_FOUND')
})

test('a cache of another version gives nothing, and one that is not there says so', async (t) => {
  const { store, place } = await lying(t, (it) =>
    Object.assign(it['builder.steps'] ?? {}, { version: 'builder-step/0' }),
  )
  await using from = await openImportedSteps(store, place)
  assert.equal(from.size, 0)
  assert.equal((await failure(openImportedSteps(store, `oci:${tempDir(t)}/none`))).code, 'NOT_FOUND')
})

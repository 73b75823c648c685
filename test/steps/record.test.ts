import assert from 'node:assert/strict'
import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { digestOf } from '../../sdk/image/digest.js'
import { stateDigest, stepKey } from '../../sdk/steps/key.js'
import { lookUpStep } from '../../sdk/steps/look-up.js'
import { outputLimit, recordStep } from '../../sdk/steps/record.js'
import type { Step, StepResult } from '../../sdk/steps/step.js'
import { createContainer } from '../../sdk/store/containers.js'
import { prune } from '../../sdk/store/garbage.js'
import { hasLayer, layerDir } from '../../sdk/store/layers.js'
import { sealStep } from '../../sdk/store/seal-step.js'
import { emptyStore, scratchConfig, write } from '../store/fixture.js'

const platform = { os: 'linux', architecture: 'amd64' }
const parent = stateDigest({ layers: [], config: platform })
const step: Step = { verb: 'run', parent, inputs: { command: ['make'], env: { A: '1', B: '2' } } }

test('the order of names does not count in a key, everything else does', () => {
  const key = stepKey(step)
  assert.equal(stepKey({ ...step, inputs: { env: { B: '2', A: '1' }, command: ['make'] } }), key)
  const others: Step[] = [
    { ...step, verb: 'copy' },
    { ...step, parent: stateDigest({ layers: [key], config: platform }) },
    { ...step, parent: stateDigest({ layers: [], config: { ...platform, architecture: 'arm64' } }) },
    { ...step, inputs: { ...step.inputs, command: ['make', 'all'] } },
    { ...step, inputs: { ...step.inputs, user: null } },
  ]
  assert.equal(new Set([key, ...others.map(stepKey)]).size, others.length + 1)
})

test('a key is the same on every machine and in every version that means the same', () => {
  const state = '{"architecture":"amd64","layers":[],"os":"linux","version":"builder-step/1"}'
  const inputs = '{"command":["make"],"env":{"A":"1","B":"2"}}'
  const text = `{"inputs":${inputs},"parent":"${digestOf(state)}","verb":"run","version":"builder-step/1"}`
  assert.equal(stepKey(step), digestOf(text))
})

async function kept(t: TestContext) {
  const store = await emptyStore(t)
  const container = await createContainer(store, { config: scratchConfig })
  write(store, container, { file: 'content' })
  const { layer } = await sealStep(store, container.id, { epoch: 0 })
  assert.ok(layer)
  const result: StepResult = { layer, milliseconds: 12, output: { stdout: 'é\n', stderr: '', exitCode: 0 } }
  assert.equal(await recordStep(store, step, stepKey(step), result), true)
  return {
    store,
    layer,
    result,
    key: stepKey(step),
    file: join(store.root, 'cache/steps', `${stepKey(step).slice(7)}.json`),
  }
}

test('a step that was kept is found again, another one is not', async (t) => {
  const { store, key, result } = await kept(t)
  assert.deepEqual(await lookUpStep(store, key), result)
  assert.equal(await lookUpStep(store, parent), undefined)
})

const damages: readonly (readonly [string, (file: string, layer: string) => void])[] = [
  ['is cut off', (file) => truncateSync(file, 20)],
  ['is empty', (file) => truncateSync(file, 0)],
  ['is of another step', (file) => writeFileSync(file, JSON.stringify({ key: parent, step, result: {} }))],
  [
    'names no layer',
    (file) =>
      writeFileSync(
        file,
        JSON.stringify({ key: stepKey(step), step, result: { layer: { diffID: '../..', size: 1 } } }),
      ),
  ],
  [
    'has a wrong output',
    (file) => writeFileSync(file, JSON.stringify({ key: stepKey(step), step, result: { output: { stdout: 1 } } })),
  ],
  ['is null', (file) => writeFileSync(file, 'null')],
  ['names a layer that is gone', (_, layer) => rmSync(layer, { recursive: true })],
  ['names a layer whose record is damaged', (_, layer) => writeFileSync(join(layer, 'layer.json'), '{')],
]
for (const [what, damage] of damages)
  test(`a kept step that ${what} is a miss`, async (t) => {
    const { store, key, file, layer } = await kept(t)
    damage(file, layerDir(store, layer.diffID))
    assert.equal(await lookUpStep(store, key), undefined)
    assert.equal(hasLayer(store, parent), false)
  })

test('output over a megabyte, or a layer that is not there, is not kept', async (t) => {
  const store = await emptyStore(t)
  const output = { stdout: 'x'.repeat(outputLimit + 1), stderr: '', exitCode: 0 }
  assert.equal(await recordStep(store, step, stepKey(step), { output }), false)
  assert.equal(await recordStep(store, step, stepKey(step), { layer: { diffID: parent, size: 1 } }), false)
  assert.equal(await lookUpStep(store, stepKey(step)), undefined)
  assert.deepEqual(readdirSync(store.root).includes('cache'), false)
})

test('a layer of a kept step stays when a prune takes what nothing needs', async (t) => {
  const { store, key, layer } = await kept(t)
  for (const id of readdirSync(join(store.root, 'containers')))
    rmSync(join(store.root, 'containers', id), { recursive: true })
  await prune(store, { all: true })
  assert.equal(hasLayer(store, layer.diffID), true)
  assert.ok(await lookUpStep(store, key))
})

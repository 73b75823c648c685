import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkStore } from '../../sdk/store/check.js'
import { readContainer } from '../../sdk/store/container-files.js'
import { type ContainerRecord, containerDir, createContainer, findContainer } from '../../sdk/store/containers.js'
import { prune } from '../../sdk/store/garbage.js'
import { findImage } from '../../sdk/store/images.js'
import { layerDiff } from '../../sdk/store/layers.js'
import type { Store } from '../../sdk/store/store.js'
import { emptyStore, scratchConfig, startChild } from './fixture.js'

const rounds = 40

test(`a commit killed ${rounds} times leaves the old state or the new, and loses no file`, async (t) => {
  const store = await emptyStore(t)
  const made = await Promise.all(
    ['first', 'second'].map((name) => createContainer(store, { config: scratchConfig, name })),
  )
  const said = new Set<string>()
  const states = new Map<string, number>()
  for (let round = 0; round < rounds; round++) {
    const turns = 2 + (round % 2)
    await killed(store, said, [round * 1000, turns, (round * 1.2) / rounds])
    for (const { id } of made) count(states, stateOf(store, id))
    if (round % 5 === 4) await prune(store, { images: false })
    for (const { name } of made) assertWhole(store, await findContainer(store, name, 'test'), said)
    if (round % 4 === 3) assert.deepEqual((await checkStore(store, { deep: round === rounds - 1 })).problems, [])
  }
  for (const line of said) {
    const [what, name, i] = line.split(' ')
    if (what === 'added') await findImage(store, `${name}:${i}`, 'test')
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(states)))
})

async function killed(store: Store, said: Set<string>, args: readonly number[]): Promise<void> {
  const child = startChild('adopt-child', store.root, ...args.map(String))
  for await (const line of child.lines) said.add(line)
  assert.deepEqual(await child.ended, { end: 'SIGKILL', stderr: '' })
}

/** How far an adoption came, for the reader of the test's output. */
function stateOf(store: Store, id: string): string {
  const folder = containerDir(store, id)
  const parts = ['upper', 'upper/layer.json', 'upper/diff'].filter((path) => existsSync(join(folder, path)))
  return [readContainer(store, id)?.adopting ? 'adopting' : 'idle', ...parts].join(' ')
}

function count(states: Map<string, number>, state: string): void {
  states.set(state, (states.get(state) ?? 0) + 1)
}

/** Every file that was written is in the container exactly once: in one of its layers or in its upper directory. */
function assertWhole(store: Store, record: ContainerRecord, said: ReadonlySet<string>): void {
  const upper = join(containerDir(store, record.id), 'upper/diff')
  const folders = [...record.layers.map((diffID) => layerDiff(store, diffID)), upper]
  const files = folders.flatMap((folder) => readdirSync(folder))
  assert.equal(new Set(files).size, files.length, 'a file is there twice')
  assert.deepEqual(record.config.rootfs.diff_ids, record.layers)
  const above = new Set(readdirSync(upper))
  for (const line of said) {
    const [what, name, i] = line.split(' ')
    if (name !== record.name) continue
    assert.ok(files.includes(`file-${i}`), `${line}, but it is lost`)
    if (what === 'adopted') assert.ok(!above.has(`file-${i}`), `${line}, but it is still above`)
  }
}

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext, test } from 'node:test'
import { builder, command, needs, tempDir, top } from '../lane.js'
import { environment, imageName, type LabelCase, labels } from './labels.js'
import { podmanDifferences } from './podman-differences.js'
import { imageWith, showAll, wordsFor } from './table-scene.js'

test('the table has at least 80 labels', () => {
  assert.ok(labels.length >= 80, `${labels.length}`)
})

test('each label becomes the words that the table says, or the message', async (t) => {
  if (!needs(t, 'podman')) return
  const shown = await showAll(t, await imageWith(t, labels), labels)
  assert.equal(shown.length, labels.length)
  const wrong = labels.flatMap(({ label, argv, refused }, i) => {
    const one = shown[i]
    const isRight = argv ? JSON.stringify(one?.argv) === JSON.stringify(argv) : refused?.test(one?.message ?? '')
    return isRight ? [] : [{ label, ...one, wanted: argv ?? String(refused) }]
  })
  assert.deepEqual(wrong, [])
})

test('podman displays the same, but for the differences that are listed', async (t) => {
  if (!needs(t, 'podman')) return
  const store = await imageWith(t, labels)
  const theirs = await podmanShows(t, store)
  const wrong = labels.flatMap(({ label, argv, podman }, i) => {
    const ours = argv?.join(' ').replace('@IMAGE@', imageName)
    return (theirs[i] === ours) === (podman === undefined) ? [] : [{ label, ours, theirs: theirs[i], podman }]
  })
  assert.deepEqual(wrong, [])
})

describe('docs/runlabel.md', () => {
  const page = readFileSync(join(top, 'docs/runlabel.md'), 'utf8').replace(/\s+/g, ' ')

  for (const [name, why] of Object.entries(podmanDifferences))
    it(`lists the difference ${name}, which a case shows`, () => {
      assert.ok(page.includes(why), why)
      assert.ok(labels.some(({ podman }) => podman === name))
    })
})

/** What podman says of each case, without its "command: ". */
async function podmanShows(t: TestContext, store: string): Promise<readonly string[]> {
  const place = tempDir(t)
  const archive = join(place, 'image.tar')
  assert.equal((await builder(['push', imageName, `docker-archive:${archive}:${imageName}`], { store })).code, 0)
  const storage = ['--root', join(place, 'root'), '--runroot', join(place, 'run'), '--storage-driver', 'vfs']
  const flags = [...storage, '--cgroup-manager', 'cgroupfs', '--events-backend', 'none']
  const env = { ...environment, HOME: place, TMPDIR: place, XDG_RUNTIME_DIR: place }
  const podman = (...words: readonly string[]) => command(['podman', ...flags, ...words], { env, cwd: place })
  const loaded = await podman('load', '-q', '-i', archive)
  assert.equal(loaded.code, 0, loaded.stderr)
  const show = async (one: LabelCase, i: number) => {
    const ran = await podman('container', 'runlabel', ...wordsFor(one, i))
    return ran.code === 0
      ? ran.stdout
          .trim()
          .replace(/^command: /, '')
          .replaceAll(place, '@PWD@')
      : ran.stderr
  }
  const shown: string[] = []
  // Two at a time: it is a program that starts slowly and computes little.
  for (let i = 0; i < labels.length; i += 2)
    shown.push(...(await Promise.all(labels.slice(i, i + 2).map((one, k) => show(one, i + k)))))
  return shown
}

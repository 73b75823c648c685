import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext, test } from 'node:test'
import { quoteWord } from '../../sdk/image/words.js'
import { builder, command, lane, needs, tempDir, top } from '../lane.js'
import { environment, imageName, labels } from './labels.js'
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
  const enter = lane() === 'root' ? [] : ['podman', ...flags, 'unshare']
  const lines = labels.map((one, i) => {
    const words = ['podman', ...flags, 'container', 'runlabel', ...wordsFor(one, i)]
    return `${words.map(quoteWord).join(' ')} 2>&1; printf '\\036'`
  })
  const load = ['podman', ...flags, 'load', '-q', '-i', archive].map(quoteWord).join(' ')
  // One namespace for all: podman's own start as a plain user takes longer than what it does.
  const ran = await command([...enter, 'sh', '-c', [`${load} >&2 || exit 1`, ...lines].join('\n')], { env, cwd: place })
  assert.equal(ran.code, 0, ran.stderr)
  const shown = ran.stdout.split('\x1e').slice(0, -1)
  return shown.map((text) =>
    text
      .trim()
      .replace(/^command: /, '')
      .replaceAll(place, '@PWD@'),
  )
}

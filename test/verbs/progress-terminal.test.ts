import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { needs, tempDir, top } from '../lane.js'
import { said } from './cases.js'
import { endlessImage } from './endless-image.js'
import { onTerminal } from './terminal.js'

const folder = tempDir({ after })
const endless = join(folder, 'endless')
/** `layer 3f2a9c1b0d4e` of each. */
let titles: readonly string[] = []

before(() => {
  titles = endlessImage(endless, { layers: 8 }).map((digest) => `layer ${digest.slice(7, 19)}`)
})

function store(name: string) {
  const root = join(folder, name)
  return { root, builder: `'${top}/bin/builder' --root '${root}' --runroot '${root}-run'` }
}

const running = /(?:left\n.*){4}pull: 0 of 8 layers/

test('a line a layer, then one for all, and ^C leaves neither a half-made image nor a terminal without a cursor', async (t) => {
  if (!needs(t, 'tmux')) return
  const { root, builder } = store('stopped')
  const terminal = await onTerminal(t, `${builder} pull 'oci:${endless}'`)
  const rows = await terminal.until(running)
  assert.match(rows[0] ?? '', /^config [0-9a-f]{12} {2}\d+ B in 0\.\d s$/)
  for (const [i, title] of titles.slice(0, 4).entries())
    assert.match(
      rows[i + 1] ?? '',
      new RegExp(`^${title}   \\[=*> *\\]  [\\d.]+ [KM]B of 4 GB +[\\d.]+ [KM]B/s  .* left$`),
    )
  assert.match(rows[5] ?? '', /^pull: 0 of 8 layers, [\d.]+ .B of 32 GB, [\d.]+ .B\/s, .* left$/)
  assert.equal(rows.length, 6)
  await terminal.press('C-c')
  const last = await terminal.until(/exit=/)
  assert.deepEqual(last.slice(1), [`builder: copy image oci:${endless}: stopped before it was done`, 'exit=130'])
  assert.equal(await terminal.showsCursor(), true)
  assert.deepEqual(readdirSync(join(root, 'tmp')), [])
  assert.deepEqual(existsSync(join(root, 'layers')) ? readdirSync(join(root, 'layers')) : [], [])
  assert.equal(await said('--root', root, 'images', '-q'), '')
})

test('a kill that nobody can tidy up after leaves the cursor too', async (t) => {
  if (!needs(t, 'tmux')) return
  const { builder } = store('killed')
  const terminal = await onTerminal(t, `${builder} pull 'oci:${endless}' & sleep 2; kill -9 $!; wait $!`)
  await terminal.until(/exit=137/)
  assert.equal(await terminal.showsCursor(), true)
})

test('a terminal that is resized shows whole lines, each once', async (t) => {
  if (!needs(t, 'tmux')) return
  const { builder } = store('resized')
  const terminal = await onTerminal(t, `${builder} pull 'oci:${endless}'`)
  await terminal.until(running)
  await terminal.resize(60, 15)
  // What was drawn just while the terminal changed may leave a line above.
  await terminal.until(/^(?:layer .*\n)?(layer \w+ [\d.]+ MB of 4 GB [\d.]+ MB\/s .*left\n){4}pull: 0 of 8 layers, .*$/)
  await terminal.resize(100, 4)
  await terminal.until(/^(layer.*\[=*> *\].*\n){2}pull: 0 of 8 layers.*$/)
  await terminal.resize(110, 15)
  await terminal.until(/^(?:layer .*\n)?(layer.*\[=*> *\].*\n){4}pull: 0 of 8 layers.*$/)
})

test('a terminal that cannot move its cursor gets plain lines', async (t) => {
  if (!needs(t, 'tmux')) return
  const { builder } = store('dumb')
  const terminal = await onTerminal(t, `TERM=dumb ${builder} pull 'oci:${endless}'`)
  const rows = await terminal.until(/(pull: layer.*\n?){4}/)
  assert.equal(rows[2], `pull: ${titles[0]}: copying 4 GB`)
  await terminal.press('C-c')
  await terminal.until(/exit=130/)
})

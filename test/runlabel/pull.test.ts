import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inSession } from '../bin/in-session.js'
import { builder, tempDir } from '../lane.js'
import { labelled, once, without } from './labelled.js'

describe('an image that is not in the store is pulled first', () => {
  const scene = once((t) =>
    labelled(t, { run: 'echo IMAGE', self: 'podman run IMAGE', other: 'podman run localhost/nowhere' }),
  )

  it('from where its name says', async (t) => {
    const { layout, digest } = scene()
    const store = tempDir(t)
    const ran = await builder(['runlabel', '--dry-run=json', 'run', `oci:${layout}:web`], {
      store,
      env: without(store),
    })
    assert.equal(ran.code, 0, ran.stderr)
    assert.equal(JSON.parse(ran.stdout).image.digest, digest)
  })

  it('in a session too', async (t) => {
    const { layout, digest } = scene()
    const store = tempDir(t)
    const ran = await inSession(t, `$B runlabel --dry-run=json run oci:${layout}:web`, { store, env: without(store) })
    assert.equal(JSON.parse(ran.stdout || '{}').image?.digest, digest, ran.stderr)
  })

  it('--pull=never takes what is there alone', async (t) => {
    const { layout } = scene()
    const store = tempDir(t)
    const ran = await builder(['runlabel', '--pull=never', '--display', 'run', `oci:${layout}:web`], { store })
    assert.deepEqual([ran.code, ran.stdout], [125, ''])
    assert.match(ran.stderr, /there is no such image in the store/)
  })

  it('what cannot be pulled is told as pull tells it', async (t) => {
    const store = tempDir(t)
    const ran = await builder(['runlabel', '--yes', 'run', `oci:${join(store, 'none')}`], {
      store,
      env: without(store),
    })
    assert.equal(ran.code, 125)
    assert.match(ran.stderr, /\/none: .*(does not exist|no such|there is no)/)
    assert.equal(ran.stderr.trim().split('\n').length, 1, ran.stderr)
  })

  it('an ID means the image, and the line is pinned all the same', async () => {
    const { store } = scene()
    const env = without(store)
    const { stdout: id } = await builder(['images', '-q', '--no-trunc'], { store })
    const short = id.trim().replace('sha256:', '').slice(0, 12)
    const ran = await builder(['runlabel', '--display', 'self', short], { store, env })
    assert.match(ran.stdout, /-- localhost\/web@sha256:[0-9a-f]{64}\n$/, ran.stderr)
  })

  it('another image that the line names has to be there', async () => {
    const { store } = scene()
    const ran = await builder(['runlabel', '--display', 'other', 'web'], { store, env: without(store) })
    assert.match(ran.stderr, /nowhere: there is no such image in the store/)
  })
})

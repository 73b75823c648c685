/** What a user sees of a registry that lies: one line, and nothing stays. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { newScene } from '../proof/scene.js'
import { image, lies } from '../transport/registry/lies.js'
import { startOwnRegistry } from '../transport/registry/own-registry.js'

const scene = newScene({ after: (end) => after(end as () => void) })
const flags = ['-q', '--tls-verify=false', '--creds=someone:a-secret', '--policy=always']

function nothingStays(): void {
  for (const part of ['tmp', 'layers', 'blobs/sha256']) assert.deepEqual(readdirSync(join(scene.root, part)), [], part)
}

describe('builder pull from a registry that gives', () => {
  for (const { title, image: held = image, instead, text, reference = ':1' } of lies)
    test(title, async () => {
      await using registry = await startOwnRegistry(instead ? { instead } : {})
      registry.hold(held, '1')
      const place = `docker://${registry.host}/web${reference}`
      const began = performance.now()
      const said = await scene.refuses(['pull', ...flags, place], [/^builder: .*127\.0\.0\.1:\d+.*\n$/])
      assert.ok(said.includes(text), said)
      assert.ok(said.length < 1500, said)
      for (const secret of ['a-secret', '\u001b']) assert.ok(!said.includes(secret), said)
      assert.ok(performance.now() - began < 20_000)
      nothingStays()
    })
})

describe('builder pull from a registry that', () => {
  test('is down', async () => {
    await scene.refuses(
      ['pull', ...flags, 'docker://127.0.0.1:1/web'],
      [/^builder: .*127\.0\.0\.1:1: it refuses the connection.*\n$/],
    )
    nothingStays()
  })

  test('cuts every connection', async () => {
    await using registry = await startOwnRegistry({
      instead: (request) => {
        request.socket.destroy()
        return true
      },
    })
    const place = `docker://${registry.host}/web`
    await scene.refuses(['pull', ...flags, place], [/^builder: .*127\.0\.0\.1:\d+.*\n$/])
    nothingStays()
  })
})

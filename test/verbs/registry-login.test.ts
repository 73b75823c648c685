import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import { sampleImage } from '../transport/sample.js'
import { newRegistryScene } from './registry-scene.js'

const scene = await newRegistryScene({ login: { user: 'me', password: 'open-sesame' } })
const { ok, refuses: fails, remote, server } = scene
const image = sampleImage()
const [insecure, creds] = ['--tls-verify=false', '--creds=me:open-sesame']

let layout: string
before(async () => {
  layout = await scene.layout('one', image)
  await ok(['image', 'copy', '--dest-tls-verify=false', '--dest-creds=me:open-sesame', layout, remote('web:1')])
  const auth = Buffer.from('me:open-sesame').toString('base64')
  writeFileSync(scene.at('auth.json'), JSON.stringify({ auths: { [server.host]: { auth } } }))
})

describe('a registry that wants a password', () => {
  const verbs: Readonly<Record<string, () => string[]>> = {
    pull: () => ['pull', '--policy=always', remote('web:1')],
    from: () => ['from', '--pull=always', remote('web:1')],
    'image inspect': () => ['image', 'inspect', remote('web:1')],
    'list-tags': () => ['list-tags', remote('web')],
    referrers: () => ['referrers', remote('web:1')],
  }
  for (const [verb, words] of Object.entries(verbs)) {
    test(`gets it from ${verb} --creds`, async () => {
      const [first = '', ...rest] = words()
      await ok([first, ...rest.slice(0, -1), insecure, creds, ...rest.slice(-1)])
    })
    test(`gets it from ${verb} --authfile`, async () => {
      await ok([...words(), insecure, '--authfile', scene.at('auth.json')])
    })
    test(`refuses ${verb} without it, and says what to do`, async () => {
      await fails([...words(), insecure, '--authfile', empty()], [/log in|login/])
    })
    test(`refuses ${verb} with a wrong one, and does not repeat it`, async () => {
      const said = await fails([...words(), insecure, '--log-level=debug', '--creds=me:wrong-sesame'], [/127\.0\.0\.1/])
      assert.doesNotMatch(said, /wrong-sesame/)
    })
  }

  test('gets it from push, commit, sync and delete', async () => {
    await ok(['pull', insecure, creds, remote('web:1')])
    await ok(['push', insecure, creds, `${server.host}/web:1`, remote('web:2')])
    const c = await ok(['from', `${server.host}/web:1`])
    await ok(['config', '--label', 'a=b', c])
    await ok(['commit', insecure, creds, c, remote('web:3')])
    writeFileSync(
      scene.at('list.yaml'),
      JSON.stringify({
        [server.host]: {
          images: { web: ['3'] },
          credentials: { username: 'me', password: 'open-sesame' },
          'tls-verify': false,
        },
      }),
    )
    await ok(['sync', '--src=yaml', '--dest=dir', scene.at('list.yaml'), scene.at('synced')])
    const sides = ['--src-creds=me:open-sesame', '--dest-creds=me:open-sesame']
    await ok([
      'sync',
      '--src=docker',
      '--dest=docker',
      insecure,
      ...sides,
      `${server.host}/web:2`,
      `${server.host}/copy`,
    ])
    await ok(['delete', insecure, creds, remote('web:3')])
  })
})

/** A file without a login. */
function empty(): string {
  writeFileSync(scene.at('empty.json'), '{}')
  return scene.at('empty.json')
}

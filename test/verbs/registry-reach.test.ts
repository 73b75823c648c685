/** Every verb that asks a registry hands on what the user says of it: nothing here is allowed but by the flag in question. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { tempDir } from '../lane.js'
import { makeAuthority } from '../transport/registry/certificate.js'
import { sampleImage, sampleIndex } from '../transport/sample.js'
import { newRegistryScene } from './registry-scene.js'

const authority = makeAuthority(join(tempDir({ after }), 'authority'))
const scene = await newRegistryScene({ tls: authority.server, login: { user: 'me', password: 'open-sesame' } })
const { ok, refuses: fails, remote, server, at } = scene
const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' }
const list = sampleIndex([{ ...sampleImage({ platform }), platform }])
const known = ['--cert-dir', authority.folder, '--creds=me:open-sesame']

before(async () => {
  const place = await scene.layout('list', list)
  const sides = ['--dest-cert-dir', authority.folder, '--dest-creds=me:open-sesame']
  for (const name of ['web:1', 'doomed:1']) await ok(['image', 'copy', '--all', ...sides, place, remote(name)])
  const auth = Buffer.from('me:open-sesame').toString('base64')
  writeFileSync(at('auth.json'), JSON.stringify({ auths: { [server.host]: { auth } } }))
  const insecure = `[[registry]]\nlocation = "${server.host}"\ninsecure = true\n`
  writeFileSync(at('insecure.conf'), insecure)
  mkdirSync(at('conf.d'))
  writeFileSync(at('empty.conf'), '')
  writeFileSync(at('conf.d/own.conf'), insecure)
  await ok(['pull', '--all-platforms', ...known, remote('web:1')])
  await ok(['manifest', 'create', '--all', 'whole', `${server.host}/web:1`])
  await ok(['manifest', 'create', 'list'])
  await ok(['from', '--name', 'base', 'scratch'])
})

/** Words of a verb, and of its flags the one for the source or the destination. */
interface Asking {
  readonly words: (turn: string) => readonly string[]
  readonly side?: 'src' | 'dest'
}

const asking: Readonly<Record<string, Asking>> = {
  pull: { words: () => ['pull', '--policy=always', remote('web:1')] },
  from: { words: () => ['from', '--pull=always', remote('web:1')] },
  push: { words: (turn) => ['push', `${server.host}/web:1`, remote(`push:${turn}`)] },
  commit: { words: (turn) => ['commit', 'base', remote(`commit:${turn}`)] },
  'image copy from': { words: (turn) => ['image', 'copy', remote('web:1'), `oci:${at(turn)}:x`], side: 'src' },
  'image copy to': { words: (turn) => ['image', 'copy', `${server.host}/web:1`, remote(`copy:${turn}`)], side: 'dest' },
  'image inspect': { words: () => ['image', 'inspect', remote('web:1')] },
  'list-tags': { words: () => ['list-tags', remote('web')] },
  referrers: { words: () => ['referrers', remote('web:1')] },
  sync: {
    words: (turn) => ['sync', '--src=docker', '--dest=dir', `${server.host}/web:1`, at(`sync-${turn}`)],
    side: 'src',
  },
  'manifest create': { words: (turn) => ['manifest', 'create', `new-${turn}`, remote('web:1')] },
  'manifest add': { words: () => ['manifest', 'add', 'list', remote('web:1')] },
  'manifest inspect': { words: () => ['manifest', 'inspect', remote('web:1')] },
  'manifest push': { words: (turn) => ['manifest', 'push', 'whole', remote(`list:${turn}`)] },
}

for (const [verb, { words, side }] of Object.entries(asking))
  describe(verb, () => {
    const flag = (name: string, value: string) => `--${side ? `${side}-` : ''}${name}=${value}`
    const creds = flag('creds', 'me:open-sesame')
    const certified = flag('cert-dir', authority.folder)

    test('refuses a certificate that nobody knows', async () => {
      await fails([...words('refused'), creds], [/certificate/])
    })
    test('refuses to go without a login', async () => {
      writeFileSync(at('nobody.json'), '{}')
      await fails([...words('nobody'), certified, '--authfile', at('nobody.json')], [/log ?in/])
    })
    for (const [title, flags] of [
      ['--cert-dir and --creds', () => [certified, creds]],
      ['--authfile and --tls-verify', () => ['--authfile', at('auth.json'), flag('tls-verify', 'false')]],
      ['--registries-conf', () => ['--registries-conf', at('insecure.conf'), creds]],
      [
        '--registries-conf-dir',
        () => ['--registries-conf', at('empty.conf'), '--registries-conf-dir', at('conf.d'), creds],
      ],
    ] as const)
      test(`hands on ${title}`, async () => {
        await ok([...words(title.replace(/\W+/g, '')), ...flags()])
      })
  })

test('delete hands them on', async () => {
  await fails(['delete', '--creds=me:open-sesame', remote('doomed:1')], [/certificate/])
  await ok(['delete', '--registries-conf', at('insecure.conf'), '--authfile', at('auth.json'), remote('doomed:1')])
})

test('a short name has its alias from --short-name-alias-conf', async () => {
  writeFileSync(at('aliases.conf'), `[aliases]\nalias-of-web = "${server.host}/web"\n`)
  await ok(['--short-name-alias-conf', at('aliases.conf'), 'pull', ...known, 'alias-of-web:1'])
  await ok(['--short-name-alias-conf', at('aliases.conf'), 'from', '--pull=always', ...known, 'alias-of-web:1'])
})

test('manifest push shows how far it is, as push does', async () => {
  const words = ['manifest', 'push', ...known, 'whole', remote('shown:1')]
  const { stdout, stderr, code } = await scene.run(words)
  assert.deepEqual([code, stdout], [0, `${list.top.digest}\n`])
  assert.match(stderr, /manifest push/)
  const quiet = await scene.run([...words.slice(0, 2), '-q', ...words.slice(2)])
  assert.deepEqual([quiet.code, quiet.stderr], [0, ''])
})

test('manifest push compresses as push --all does, and leaves the store as it is', async () => {
  writeFileSync(at('file'), 'some words '.repeat(1000))
  await ok(['from', '--name', 'maker', 'scratch'])
  await ok(['copy', '-q', 'maker', at('file'), '/'])
  await ok(['commit', '-q', '--rm', '--manifest', 'made', 'maker', 'made-here'])
  const inStore = await ok(['manifest', 'inspect', 'made'])
  const pushed = await ok(['manifest', 'push', '-q', ...known, 'made', remote('made:1')])
  assert.equal(await ok(['push', '-q', '--all', ...known, 'made', remote('made:2')]), pushed)
  const raw = ['image', 'inspect', '--raw', ...known]
  const [member] = JSON.parse(await ok([...raw, remote('made:1')])).manifests
  const { layers } = JSON.parse(await ok([...raw, remote(`made@${member.digest}`)]))
  assert.deepEqual(
    layers.map(({ mediaType }: { mediaType: string }) => mediaType),
    ['application/vnd.oci.image.layer.v1.tar+gzip'],
  )
  const plain = ['manifest', 'push', '-q', ...known, '--compression-format', 'none', 'made', remote('made:3')]
  assert.notEqual(await ok(plain), pushed)
  assert.equal(await ok(['manifest', 'inspect', 'made']), inStore)
  await fails(
    ['manifest', 'push', '--no-all', '--compression-format', 'zstd', ...known, 'made', remote('made:4')],
    [/manifest push --no-all: without its images a list is pushed as it is, and nothing is compressed; leave out/],
  )
})

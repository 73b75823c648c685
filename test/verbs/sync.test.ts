import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import { needs } from '../lane.js'
import { others } from '../proof/others.js'
import { sampleImage, sampleIndex } from '../transport/sample.js'
import { refuses } from './cases.js'
import { newRegistryScene } from './registry-scene.js'

const scene = await newRegistryScene()
const { ok, refuses: fails, run, server } = scene
const one = sampleImage({ files: ['one'] })
const two = sampleImage({ files: ['two'] })
const amd = { ...sampleImage({ files: ['amd'] }), platform: { os: 'linux', architecture: 'amd64' } }
const armPlatform = { os: 'linux', architecture: 'arm64' }
const arm = { ...sampleImage({ files: ['arm'], platform: armPlatform }), platform: armPlatform }

before(async () => {
  await scene.upload('team/web:1', one)
  await scene.upload('team/web:2', two)
  await scene.upload('team/db:13.1', one)
  await scene.upload('team/db:13.2', two)
  await scene.upload('team/db:14.0', two)
  await scene.upload('team/many:1', sampleIndex([amd, arm]))
})

const insecure = '--tls-verify=false'
const sync = async (src: string, dest: string, ...words: string[]) =>
  JSON.parse(await ok(['sync', '--src', src, '--dest', dest, insecure, ...words])) as {
    source: string
    destination: string
    digest?: string
  }[]
const destinations = (done: { destination: string }[]) => done.map(({ destination }) => destination).sort()
const digestIn = async (place: string) => ok(['image', 'inspect', insecure, '--format', '{{.Digest}}', place])

/** Writes a list in skopeo's format. */
function list(text: string): string {
  writeFileSync(scene.at('list.yaml'), text.replaceAll('HOST', server.host))
  return scene.at('list.yaml')
}

describe('from a registry', () => {
  test('every tag of a repository goes into a folder, which skopeo reads', async (t) => {
    if (!needs(t, 'skopeo')) return
    const done = await sync('docker', 'dir', `${server.host}/team/web`, scene.at('tags'))
    assert.deepEqual(destinations(done), [`dir:${scene.at('tags/web:1')}`, `dir:${scene.at('tags/web:2')}`])
    assert.deepEqual(readdirSync(scene.at('tags')).sort(), ['web:1', 'web:2'])
    const shown = JSON.parse(await others(scene).ok('skopeo', 'inspect', `dir:${scene.at('tags/web:2')}`))
    assert.equal(shown.Digest, two.top.digest)
  })

  test('one tag goes alone, and --scoped keeps its whole name', async () => {
    const done = await sync('docker', 'dir', '--scoped', `${server.host}/team/web:1`, scene.at('scoped'))
    assert.deepEqual(destinations(done), [`dir:${scene.at(`scoped/${server.host}/team/web:1`)}`])
  })

  test('into a registry, with a suffix to the tag, and again', async () => {
    for (const _ of [1, 2]) {
      const words = ['--append-suffix', '-old', `${server.host}/team/web`, `${server.host}/mirror`]
      const done = await sync('docker', 'docker', ...words)
      assert.deepEqual(destinations(done), [
        `docker://${server.host}/mirror/web:1-old`,
        `docker://${server.host}/mirror/web:2-old`,
      ])
      assert.equal(await digestIn(`docker://${server.host}/mirror/web:1-old`), one.top.digest)
    }
  })

  test('--all brings every platform', async () => {
    await sync('docker', 'docker', '--all', `${server.host}/team/many:1`, `${server.host}/all`)
    assert.equal(await digestIn(`docker://${server.host}/all/many:1`), sampleIndex([amd, arm]).top.digest)
  })

  test('--dry-run tells and copies nothing', async () => {
    const done = await sync('docker', 'dir', '--dry-run', `${server.host}/team/web`, scene.at('dry'))
    assert.equal(done.length, 2)
    assert.equal(done[0]?.digest, undefined)
    assert.equal(existsSync(scene.at('dry')), false)
  })

  test('gives what skopeo sync gives', async (t) => {
    if (!needs(t, 'skopeo')) return
    const common = ['--src', 'docker', '--dest', 'dir', '--scoped', '--src-tls-verify=false', `${server.host}/team/web`]
    await others(scene).ok('skopeo', '--insecure-policy', 'sync', ...common, scene.at('theirs'))
    await ok(['sync', ...common, scene.at('ours')])
    const names = (folder: string) => readdirSync(scene.at(folder), { recursive: true }).map(String).sort()
    assert.deepEqual(names('ours'), names('theirs'))
    const manifest = `${server.host}/team/web:1/manifest.json`
    assert.equal(
      readFileSync(scene.at(`ours/${manifest}`), 'utf8'),
      readFileSync(scene.at(`theirs/${manifest}`), 'utf8'),
    )
  })
})

test('from a folder into a registry', async () => {
  await sync('docker', 'dir', '--scoped', `${server.host}/team/web`, scene.at('folder'))
  const done = await sync('dir', 'docker', scene.at('folder'), `${server.host}/back`)
  assert.deepEqual(destinations(done), [`docker://${server.host}/back/web:1`, `docker://${server.host}/back/web:2`])
  assert.equal(await digestIn(`docker://${server.host}/back/web:2`), two.top.digest)
})

describe('from a list', () => {
  test('tags, digests, every tag, and tags by a pattern', async () => {
    const file = list(`
HOST:
  tls-verify: false
  images:
    team/web: [1, 'sha256:${two.top.digest.slice(7)}']
    team/many: []
  images-by-tag-regex:
    team/db: ^13\\.
`)
    const done = JSON.parse(await ok(['sync', '--src', 'yaml', '--dest', 'dir', file, scene.at('listed')]))
    const expected = ['db:13.1', 'db:13.2', 'many:1', 'web:1', `web@${two.top.digest}`]
    assert.deepEqual(
      destinations(done),
      expected.map((name) => `dir:${scene.at(`listed/${name}`)}`),
    )
  })

  test('a tag like 13.10 is no number', async () => {
    await scene.upload('team/db:13.10', one)
    const file = list('HOST:\n  tls-verify: false\n  images:\n    team/db: [13.10]\n')
    const done = JSON.parse(await ok(['sync', '--src', 'yaml', '--dest', 'dir', file, scene.at('number')]))
    assert.deepEqual(destinations(done), [`dir:${scene.at('number/db:13.10')}`])
  })

  test('two images never take the same place; what is named twice goes once', async () => {
    await scene.upload('other/web:1', two)
    const file = list('HOST:\n  tls-verify: false\n  images:\n    team/web: [1, 1]\n    other/web: [1]\n')
    const words = ['sync', '--src', 'yaml', '--dest', 'dir']
    await fails(
      [...words, file, scene.at('clash')],
      [/web:1: .*team\/web:1 and .*other\/web:1 both go there; .*--scoped/],
    )
    assert.equal(existsSync(scene.at('clash')), false)
    const done = JSON.parse(await ok([...words, '--scoped', file, scene.at('no-clash')]))
    assert.equal(done.length, 2)
  })

  test('--keep-going copies the others, says which failed, and ends with 125', async () => {
    const file = list('HOST:\n  tls-verify: false\n  images:\n    team/web: [gone, 2]\n')
    const words = ['sync', '--src', 'yaml', '--dest', 'dir', file, scene.at('going')]
    await fails(words, [/team\/web:gone/])
    assert.equal(existsSync(scene.at('going')), false)
    const { stderr, stdout, code } = await run([...words, '--keep-going'])
    assert.deepEqual([stdout, code], ['', 125])
    assert.match(stderr, /warning: .*team\/web:gone/)
    assert.match(stderr, /builder: sync images: 1 of 2 could not be copied/)
    assert.deepEqual(readdirSync(scene.at('going')), ['web:2'])
  })

  for (const [title, text, says] of [
    ['no YAML', 'a: [', /list\.yaml: it is not YAML: /],
    ['no mapping', '- a', /the list is not a mapping of names to values/],
    ['a registry that is none', 'HOST: [web]', /127\.0\.0\.1:\d+ is not a mapping/],
    ['a key that nobody knows', 'HOST:\n  image: {}', /nobody knows the key "image"; did you mean images\?/],
    [
      'tags that are no list',
      'HOST:\n  images:\n    web: latest',
      /web is not a list of tags; write \[\] for every tag/,
    ],
    ['a pattern that is none', 'HOST:\n  images-by-tag-regex:\n    web: "("', /"\(" is not a regular expression/],
    ['neither true nor false', 'HOST:\n  tls-verify: maybe', /tls-verify is neither true nor false/],
    ['a user without a password', 'HOST:\n  credentials:\n    username: me', /credentials password is not a word/],
    ['nothing', 'HOST:\n  tls-verify: false', /list\.yaml: it holds no image/],
  ] as const)
    test(`with ${title} is refused`, async () => {
      await fails(['sync', '--src', 'yaml', '--dest', 'dir', list(text), scene.at('never')], [says])
      assert.equal(existsSync(scene.at('never')), false)
    })
})

refuses([
  [['sync', 'a', 'b'], /^builder: sync --src: it is missing; say --src docker, --src dir or --src yaml/],
  [['sync', '--src', 'docker', 'a', 'b'], /^builder: sync --dest: it is missing/],
  [['sync', '--src', 'oci', '--dest', 'dir', 'a', 'b'], /--src: "oci" is not one of docker, dir, yaml/],
  [['sync', '--src', 'dir', '--dest', 'yaml', 'a', 'b'], /--dest: "yaml" is not one of docker, dir/],
  [['sync', '--src', 'dir', '--dest', 'dir', 'a', 'b'], /both are folders; use cp -a or rsync/],
  [['sync', '--src', 'dir', '--dest', 'docker', 'a'], /^builder: sync DESTINATION: it is missing/],
  [['sync', '--src', 'dir', '--dest', 'docker', '/nope', 'h.example/x'], /sync from \/nope: it does not exist/],
  [['sync', '--src', 'yaml', '--dest', 'dir', '/nope', '/x'], /read list \/nope: there is no such file/],
  [['sync', '--src', 'docker', '--dest', 'dir', 'UPPER', '/x'], /"UPPER": it is not docker:\/\//],
  [['sync', '--src', 'docker', '--dest', 'docker', 'a.example/x:1', 'UPPER'], /"UPPER\/x:1": it is not docker:\/\//],
  [['sync', '--all', '--platform', 'linux/arm64', '--src=docker', '--dest=dir', 'a', 'b'], /it excludes --all/],
  [['sync', '--preserve-digests', '--format=oci', '--src=docker', '--dest=dir', 'a', 'b'], /it excludes --format/],
])

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import { sampleImage, sampleIndex } from '../transport/sample.js'
import { refuses } from './cases.js'
import { insecure, newRegistryScene } from './registry-scene.js'

const scene = await newRegistryScene()
const { ok, refuses: fails, remote, server } = scene

const amd = { ...sampleImage({ files: ['amd'] }), platform: { os: 'linux', architecture: 'amd64' } }
const armPlatform = { os: 'linux', architecture: 'arm64' }
const arm = { ...sampleImage({ files: ['arm'], platform: armPlatform }), platform: armPlatform }

/** The manifest that a registry has under a name. */
async function manifestOf(name: string) {
  return JSON.parse(await ok(['image', 'inspect', '--raw', insecure, remote(name)]))
}

before(async () => {
  const c = await ok(['from', 'scratch'])
  await ok(['copy', c, scene.at('registry/config.yml'), '/file'])
  await ok(['commit', c, 'web'])
  await ok(['tag', 'web', `${server.host}/site/web:1`])
})

describe('the destination', () => {
  for (const [title, words, name] of [
    ['is the image’s own name', () => [`${server.host}/site/web:1`], 'site/web:1'],
    ['is a name in a registry', () => ['web', `${server.host}/plain:2`], 'plain:2'],
    ['is docker:// and a name', () => ['web', remote('other:3')], 'other:3'],
  ] as const)
    test(title, async () => {
      const digest = await ok(['push', insecure, '--digestfile', scene.at('digest'), ...words()])
      assert.equal(readFileSync(scene.at('digest'), 'utf8'), digest)
      assert.equal(await ok(['image', 'inspect', '--format', '{{.Digest}}', insecure, remote(name)]), digest)
    })

  test('gets from a second push no blob', async () => {
    await ok(['push', insecure, 'web', remote('again:1')])
    await server.settled()
    const before = server.requests().length
    await ok(['push', insecure, 'web', remote('again:2')])
    await server.settled()
    const later = server.requests().slice(before)
    assert.deepEqual(
      later.filter((line) => /^(POST|PATCH|PUT) .*blobs/.test(line)),
      [],
    )
  })
})

describe('layers made here', () => {
  const layerType = async (name: string) => (await manifestOf(name)).layers[0].mediaType
  for (const [title, flags, type] of [
    ['are compressed with gzip for a registry', [], /tar\+gzip$/],
    ['with zstd where that is asked for', ['--compression-format', 'zstd', '--compression-level', '3'], /tar\+zstd$/],
    ['stay as they are with -D', ['-D'], /\.tar$/],
    ['and with --compression-format none', ['--compression-format=none'], /\.tar$/],
    ['are of Docker’s types with v2s2', ['--format', 'v2s2'], /docker.*tar\.gzip$/],
  ] as const)
    test(title, async () => {
      const name = `layers:${flags.join('').replace(/\W/g, '') || 'none-asked'}`
      await ok(['push', insecure, ...flags, 'web', remote(name)])
      assert.match(await layerType(name), type)
    })

  test('have the same digest from every push', async () => {
    const first = await ok(['push', insecure, 'web', remote('same:1')])
    assert.equal(await ok(['push', insecure, 'web', remote('elsewhere/same:1')]), first)
  })
})

describe('a list', () => {
  const name = () => `${server.host}/list:1`
  before(async () => {
    await scene.upload('list:1', sampleIndex([amd, arm]))
    await ok(['pull', '--all-platforms', insecure, name()])
  })

  test('goes with all its images, digests as they were', async () => {
    const digest = await ok(['push', insecure, '--all', name(), remote('copy:1')])
    assert.equal(digest, sampleIndex([amd, arm]).top.digest)
    assert.equal((await manifestOf('copy:1')).manifests.length, 2)
  })

  test('goes as this machine’s image without --all', async () => {
    const digest = await ok(['push', insecure, name(), remote('copy:2')])
    assert.ok([amd.top.digest, arm.top.digest].includes(digest as `sha256:${string}`))
  })

  test('is converted to Docker’s form with all its images', async () => {
    await ok(['push', insecure, '--all', '--format', 'v2s2', name(), remote('copy:3')])
    const list = await manifestOf('copy:3')
    assert.match(list.mediaType, /docker.*manifest\.list/)
    for (const { mediaType } of list.manifests) assert.match(mediaType, /docker.*manifest\.v2/)
  })
})

test('--rm takes the name away, and only when the push succeeded', async () => {
  await ok(['tag', 'web', `${server.host}/short-lived:1`])
  await fails(
    ['push', insecure, '--rm', `${server.host}/short-lived:1`, `oci:${scene.at('no/folder')}`],
    [/no\/folder: its folder does not exist/],
  )
  await ok(['push', insecure, '--rm', `${server.host}/short-lived:1`])
  assert.doesNotMatch(await ok(['images', '--format', '{{.Name}}']), /short-lived/)
  assert.match(await ok(['images', '--format', '{{.Name}}']), /localhost\/web/)
})

test('a name of this machine is no destination', async () => {
  await fails(
    ['push', 'web'],
    [/push web: localhost\/web:latest is a name of this machine/, /docker:\/\/REGISTRY\/NAME/],
  )
})

refuses([
  [['push'], /^builder: push IMAGE: it is missing/],
  [['push', 'gone'], /^builder: push gone: there is no such image in the store/],
  [['push', 'gone', 'docker://127.0.0.1:1/x'], /^builder: push gone: there is no such image in the store/],
  [['push', 'a', 'b', 'c'], /^builder: push c: one argument too many/],
  [['push', '--format', 'v2s1', 'web'], /push --format: "v2s1" is not one of oci, v2s2/],
  [['push', '--compression-format', 'xz', 'web'], /"xz" is not one of gzip, zstd, none/],
  [['push', '--compression-level', 'fast', 'web'], /push --compression-level: "fast" is not a number/],
  [
    ['push', '--compression-level', '10', 'web'],
    /push --compression-level 10: it is not a number from 1 to 9; gzip has/,
  ],
  [['push', '--compression-level', '1.5', 'web'], /push --compression-level 1.5: it is not a number from 1 to 9/],
  [['push', '--compression-format', 'zstd', '--compression-level', '23', 'web'], /from 1 to 22; zstd has no others/],
  [['push', '-D', '--compression-level', '3', 'web'], /with --compression-format none nothing is compressed/],
  [['push', '--format', 'v2s2', '--compression-format', 'zstd', 'web'], /Docker's manifests have no zstd layers/],
  [['push', '--progress', 'loud', 'web'], /"loud" is not one of auto, plain, tty, json, none/],
  [['push', '--sign-by', 'x', 'web'], /push --sign-by: there is no such flag/],
])

import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { digestOf } from '../../sdk/image/digest.js'
import { command, needs } from '../lane.js'
import { others } from '../proof/others.js'
import { sampleImage, sampleIndex } from '../transport/sample.js'
import { refuses } from './cases.js'
import { insecure, newRegistryScene } from './registry-scene.js'

const scene = await newRegistryScene()
const { ok, run, refuses: fails, remote } = scene
const amd = { ...sampleImage({ files: ['amd'] }), platform: { os: 'linux', architecture: 'amd64' } }
const armPlatform = { os: 'linux', architecture: 'arm64' }
const arm = { ...sampleImage({ files: ['arm'], platform: armPlatform }), platform: armPlatform }
const list = sampleIndex([amd, arm])

before(async () => {
  await scene.upload('one:1', amd)
  await scene.upload('one:2', arm)
  await scene.upload('many:1', list)
})

const inspect = (...words: string[]) => ok(['image', 'inspect', insecure, ...words])

describe('image inspect', () => {
  test('tells of an image in a registry what skopeo tells', async (t) => {
    if (!needs(t, 'skopeo')) return
    const ours = JSON.parse(await inspect(remote('one:1')))
    const theirs = JSON.parse(await others(scene).ok('skopeo', 'inspect', insecure, remote('one:1')))
    for (const field of ['Name', 'Digest', 'RepoTags', 'Architecture', 'Os', 'Layers', 'Env'])
      assert.deepEqual(ours[field], theirs[field], field)
    assert.deepEqual(ours.RepoTags.sort(), ['1', '2'])
  })

  test('pulls nothing', async () => assert.equal(await ok(['images', '-q']), ''))

  test('asks for no tags with -n', async () => {
    await scene.server.settled()
    const before = scene.server.requests().length
    assert.deepEqual(JSON.parse(await inspect('-n', remote('one:1'))).RepoTags, [])
    assert.doesNotMatch(scene.server.requests().slice(before).join('\n'), /tags\/list/)
  })

  test('--raw gives the manifest byte for byte', async () => {
    for (const [name, image] of [
      ['one:1', amd],
      ['many:1', list],
    ] as const) {
      const { stdout } = await run(['image', 'inspect', '--raw', insecure, remote(name)])
      assert.equal(digestOf(stdout), image.top.digest)
    }
  })

  test('--raw --config gives the configuration byte for byte, --config its JSON', async () => {
    const { stdout } = await run(['image', 'inspect', '--raw', '--config', insecure, remote('one:1')])
    assert.equal(digestOf(stdout), amd.config.digest)
    assert.deepEqual(JSON.parse(await inspect('--config', remote('one:1'))), JSON.parse(stdout))
    assert.equal(await inspect('--config', '--format', '{{.config.Cmd}}', remote('one:1')), '[/bin/true]')
  })

  test('of a list tells its digest and an image; with --platform that image’s own', async () => {
    assert.equal(await inspect('--format', '{{.Digest}}', remote('many:1')), list.top.digest)
    const words = ['--platform', 'linux/arm64', '--format', '{{.Digest}} {{.Architecture}}']
    assert.equal(await inspect(...words, remote('many:1')), `${arm.top.digest} arm64`)
    const { stdout } = await run(['image', 'inspect', '--raw', '--platform=linux/arm64', insecure, remote('many:1')])
    assert.equal(digestOf(stdout), arm.top.digest)
  })

  test('reads files and the store', async () => {
    const layout = await scene.layout('files', amd)
    assert.equal(await inspect('--format', '{{.Name}}{{.Architecture}}', layout), 'amd64')
    await ok(['pull', layout])
    assert.equal(await inspect('--format', '{{.Digest}}', 'files'), amd.top.digest)
    assert.equal(await inspect('--format', '{{.Name}}', 'files'), 'localhost/files')
  })

  test('a template may name what the image does not have', async () =>
    assert.equal(await inspect('--format', '[{{.Created}}{{.Variant}}]', remote('one:1')), '[]'))

  test('refuses a field that does not exist, and a platform that is not there', async () => {
    await fails(['image', 'inspect', insecure, '--format', '{{.Digset}}', remote('one:1')], [/did you mean \.Digest\?/])
    await fails(
      ['image', 'inspect', insecure, '--platform', 'linux/s390x', remote('many:1')],
      [/it has no image for linux\/s390x; choose one of: linux\/amd64, linux\/arm64/],
    )
  })
})

describe('the TypeScript function', () => {
  test('gives the same, with the exact text of both documents', async () => {
    const { imageInspect } = await import('../../sdk/index.js')
    const places = { root: scene.at('root'), runroot: scene.at('run') }
    const found = await imageInspect(remote('one:1'), { tlsVerify: false, ...places })
    assert.equal(found.Digest, amd.top.digest)
    assert.equal(digestOf(found.Manifest), amd.top.digest)
    assert.equal(digestOf(found.Config ?? ''), amd.config.digest)
  })
})

test('a password of the command line is in no message', async () => {
  const words = ['image', 'inspect', '--creds', 'me:very-secret', '--log-level=debug', 'docker://127.0.0.1:1/x']
  assert.doesNotMatch(await fails(words, [/127\.0\.0\.1:1/]), /very-secret/)
})

test('what goes into a pipe is exact', async (t) => {
  if (!needs(t, 'sh')) return
  const words = ['--root', scene.at('root'), 'image', 'inspect', '--raw', insecure, remote('one:1')]
  const { top } = await import('../lane.js')
  const { stdout } = await command(['sh', '-c', '"$@" | sha256sum', 'sh', `${top}/bin/builder`, ...words])
  assert.equal(stdout.split(' ')[0], amd.top.digest.slice('sha256:'.length))
})

refuses([
  [['image', 'inspect'], /^builder: image inspect IMAGE: it is missing/],
  [['image', 'inspect', 'gone'], /^builder: read image gone: there is no such image in the store/],
  [['image', 'inspect', 'docker://A/b'], /"docker:\/\/A\/b": it is not docker:\/\//],
  [['image', 'inspect', 'oci:'], /oci:: it has no path/],
  [['image', 'inspect', '--platform', 'a b', 'oci:/x'], /platform "a b": it is not os\/arch/],
  [['image', 'inspect', '--type', 'image', 'oci:/x'], /image inspect --type: there is no such flag/],
])

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import { needs } from '../lane.js'
import { others } from '../proof/others.js'
import { sampleImage, sampleIndex } from '../transport/sample.js'
import { refuses } from './cases.js'
import { newRegistryScene } from './registry-scene.js'

const scene = await newRegistryScene()
const { ok, refuses: fails, remote } = scene
const amd = { ...sampleImage({ files: ['amd', 'same'] }), platform: { os: 'linux', architecture: 'amd64' } }
const armPlatform = { os: 'linux', architecture: 'arm64' }
const arm = { ...sampleImage({ files: ['arm', 'same'], platform: armPlatform }), platform: armPlatform }
const list = sampleIndex([amd, arm])
const [src, dest] = ['--src-tls-verify=false', '--dest-tls-verify=false']

let layout: string
before(async () => {
  layout = await scene.layout('list', list)
  await ok(['image', 'copy', '--all', dest, layout, remote('start:1')])
})

describe('a copy', () => {
  const places = {
    'docker://': (name: string) => remote(`${name}:1`),
    'oci:': (name: string) => `oci:${scene.at(name)}:1`,
    'oci-archive:': (name: string) => `oci-archive:${scene.at(name)}.tar:1`,
    'dir:': (name: string) => `dir:${scene.at(name)}`,
  }
  for (const [from, source] of Object.entries(places))
    for (const [to, target] of Object.entries(places))
      test(`from ${from} to ${to} keeps every digest`, async () => {
        const name = `${from}-${to}`.replace(/\W+/g, '')
        await ok(['image', 'copy', '--all', dest, layout, source(`a${name}`)])
        const flags = ['--all', '--preserve-digests', '--tls-verify=false', '--digestfile', scene.at('digest')]
        assert.equal(await ok(['image', 'copy', ...flags, source(`a${name}`), target(`b${name}`)]), list.top.digest)
        assert.equal(readFileSync(scene.at('digest'), 'utf8'), list.top.digest)
        const found = ['image', 'inspect', '--tls-verify=false', '--format', '{{.Digest}}', target(`b${name}`)]
        assert.equal(await ok(found), list.top.digest)
      })

  test('of one platform takes no more than that', async () => {
    const digest = await ok([
      'image',
      'copy',
      '--platform',
      'linux/arm64',
      src,
      remote('start:1'),
      `dir:${scene.at('arm')}`,
    ])
    assert.equal(digest, arm.top.digest)
    assert.equal(readdirSync(scene.at('arm')).length, 2 + 1 + arm.layers.length)
  })

  test('does not touch the store', async () => {
    assert.equal(await ok(['images', '-q']), '')
  })

  test('from and to the store takes a list with all its images', async () => {
    await ok(['image', 'copy', '--all', src, remote('start:1'), 'kept'])
    assert.equal(await ok(['image', 'copy', '--all', 'kept', `oci:${scene.at('from-store')}`]), list.top.digest)
    await ok(['manifest', 'rm', 'kept'])
  })

  test('to Docker’s form and back keeps layers and configuration', async () => {
    const docker = await ok([
      'image',
      'copy',
      '--platform=linux/amd64',
      '--format=v2s2',
      layout,
      `dir:${scene.at('v2s2')}`,
    ])
    assert.notEqual(docker, amd.top.digest)
    const manifest = JSON.parse(readFileSync(scene.at('v2s2/manifest.json'), 'utf8'))
    assert.equal(manifest.config.digest, amd.config.digest)
    assert.equal(
      await ok([
        'image',
        'copy',
        '--platform=linux/amd64',
        '--format=oci',
        `dir:${scene.at('v2s2')}`,
        `dir:${scene.at('oci-again')}`,
      ]),
      amd.top.digest,
    )
  })

  test('is read by skopeo', async (t) => {
    if (!needs(t, 'skopeo')) return
    const raw = await others(scene).ok('skopeo', 'inspect', '--raw', '--tls-verify=false', remote('start:1'))
    assert.equal(raw, readFileSync(scene.at(`layout-list/blobs/sha256/${list.top.digest.slice(7)}`), 'utf8'))
  })
})

test('--dry-run tells what would be copied, and copies nothing', async () => {
  const said = await ok(['image', 'copy', '--all', '--dry-run', src, remote('start:1'), `oci:${scene.at('never')}`])
  const plan = JSON.parse(said)
  assert.equal(plan.digest, list.top.digest)
  assert.deepEqual(
    plan.manifests.map(({ digest, platform }: { digest: string; platform?: string }) => [digest, platform]),
    [
      [list.top.digest, undefined],
      [amd.top.digest, 'linux/amd64'],
      [arm.top.digest, 'linux/arm64'],
    ],
  )
  assert.equal(plan.blobs.length, 5, 'two configurations, and three layers, of which both images have one')
  assert.equal(existsSync(scene.at('never')), false)
})

test('imageCopy does the same from TypeScript, through an engine where it must', async () => {
  const { imageCopy } = await import('../../sdk/index.js')
  const states = new Set<string>()
  const options = { root: scene.at('root'), runroot: scene.at('run'), all: true, destTlsVerify: false }
  const onProgress = ({ state }: { state: string }) => void states.add(state)
  const { digest } = await imageCopy(layout, remote('typescript:1'), { ...options, onProgress })
  assert.equal(digest, list.top.digest)
  assert.ok(states.has('done') || states.has('exists'))
  const { plan } = await imageCopy(layout, remote('typescript:2'), { ...options, dryRun: true })
  assert.equal(plan?.blobs.length, 5)
})

test('--preserve-digests fails where a digest would change', async () => {
  const words = ['image', 'copy', '--platform=linux/amd64', '--preserve-digests']
  await fails(
    [...words, '--format', 'v2s2', layout, `dir:${scene.at('x')}`],
    [/it excludes --format, which changes digests/],
  )
})

refuses([
  [['image', 'copy'], /^builder: image copy SOURCE: it is missing/],
  [['image', 'copy', 'oci:a'], /^builder: image copy DESTINATION: it is missing/],
  [['image', 'copi', 'oci:a', 'oci:b'], /verb image copi: there is no such verb; did you mean image copy\?/],
  [['image', 'copy', 'oci:', 'oci:b'], /oci:: it has no path; write oci:PATH/],
  [['image', 'copy', 'oci:/nope', 'dir:'], /dir:: it has no path; write dir:PATH/],
  [['image', 'copy', 'oci:/nope', 'oci:/tmp/x'], /read image oci:\/nope: there is no such directory/],
  [['image', 'copy', 'gone', 'oci:/tmp/x'], /read image gone: there is no such image in the store/],
  [['image', 'copy', 'docker://A', 'oci:/tmp/x'], /"docker:\/\/A": it is not docker:\/\//],
  [['image', 'copy', 'oci:/nope', 'sif:x'], /builder has no transport sif:/],
  [['image', 'copy', '--platform', 'a b', 'oci:/a', 'oci:/b'], /platform "a b": it is not os\/arch/],
  [['image', 'copy', '--all', '--platform', 'linux/arm64', 'oci:/a', 'oci:/b'], /it excludes --all/],
  [
    ['image', 'copy', '--preserve-digests', '--compression-format=zstd', 'oci:/a', 'oci:/b'],
    /excludes --compression-format/,
  ],
  [['image', 'copy', '--preserve-digests', '--force-compression', 'oci:/a', 'oci:/b'], /excludes --force-compression/],
  [['image', 'copy', '--src-authfile', '/nonexistent/a', 'docker://127.0.0.1:1/x', 'oci:/tmp/x'], /\/nonexistent\/a/],
  [['image', 'copy', '--src-creds', 'docker://127.0.0.1:1/x', 'oci:/b'], /image copy DESTINATION: it is missing/],
])

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import { hexOf } from '../../sdk/image/digest.js'
import { put, sampleImage, sampleIndex } from '../transport/sample.js'
import { refuses } from './cases.js'
import { insecure, newRegistryScene } from './registry-scene.js'

const scene = await newRegistryScene()
const { ok, run, refuses: fails, remote, server, bench } = scene

const one = sampleImage({ files: ['one'] })
const two = sampleImage({ files: ['two'] })
const arm = {
  ...sampleImage({ files: ['arm'], platform: { os: 'linux', architecture: 'arm64' } }),
  platform: armPlatform(),
}
const amd = { ...sampleImage({ files: ['amd'] }), platform: { os: 'linux', architecture: 'amd64' } }

function armPlatform() {
  return { os: 'linux', architecture: 'arm64' }
}

describe('a name', () => {
  before(() => scene.upload('team/web:1', one))

  for (const [title, name] of [
    ['with its registry', () => `${server.host}/team/web:1`],
    ['with docker://', () => remote('team/web:1')],
  ] as const)
    test(`${title} keeps its full name in the store`, async () => {
      assert.equal(await ok(['pull', '--policy', 'always', insecure, name()]), hexOf(one.config.digest))
      assert.equal(await ok(['images', '--format', '{{.Name}}:{{.Tag}}']), `${server.host}/team/web:1`)
    })

  test('with a digest is pulled, found again by it, and has no name', async () => {
    const pinned = `${server.host}/team/web@${one.top.digest}`
    const own = { store: scene.at('pinned') }
    assert.equal(await ok(['pull', insecure, pinned], own), hexOf(one.config.digest))
    assert.equal(await ok(['images', '--format', '{{.Name}}'], own), '<none>')
    assert.equal(await ok(['pull', '--policy', 'never', pinned], own), hexOf(one.config.digest))
    assert.match(await ok(['from', pinned], own), /working-container/)
  })

  test('that is short is looked for where registries.conf says', async () => {
    await scene.upload('short:1', one)
    writeFileSync(scene.at('registries.conf'), `unqualified-search-registries = ["127.0.0.1:1", "${server.host}"]\n`)
    const own = { store: scene.at('short') }
    const conf = ['--registries-conf', scene.at('registries.conf')]
    assert.equal(await ok([...conf, 'pull', insecure, 'short:1'], own), hexOf(one.config.digest))
    assert.equal(await ok(['images', '--format', '{{.Name}}'], own), `${server.host}/short`)
    const c = await ok([...conf, 'from', '--pull=never', 'short:1'], own)
    assert.equal(await ok(['inspect', '--format', '{{.FromImage}}', c], own), `${server.host}/short:1`)
  })
})

describe('the policy', () => {
  const name = () => `${server.host}/policy:1`
  const store = { store: scene.at('policies') }
  const ids = [hexOf(one.config.digest), hexOf(two.config.digest)] as const
  before(async () => {
    await scene.upload('policy:1', one)
    await ok(['pull', insecure, name()], store)
    await scene.upload('policy:1', two)
  })
  for (const [policy, expected] of [
    ['missing', ids[0]],
    ['never', ids[0]],
    ['newer', ids[1]],
    ['always', ids[1]],
  ] as const)
    test(`${policy} gives the ${expected === ids[0] ? 'old' : 'new'} image`, async () => {
      assert.equal(await ok(['pull', '--policy', policy, insecure, name()], store), expected)
    })

  test('from takes the same, and --pull alone means newer', async () => {
    await scene.upload('policy:1', one)
    const image = async (...flags: string[]) => {
      const c = await ok(['from', ...flags, insecure, name()], store)
      return ok(['inspect', '--format', '{{.FromImageID}} {{.FromImage}}', c], store)
    }
    assert.equal(await image(), `${ids[1]} ${name()}`)
    assert.equal(await image('--pull=false'), `${ids[1]} ${name()}`)
    assert.equal(await image('--pull'), `${ids[0]} ${name()}`)
  })

  test('never does not ask, and says what is missing', async () => {
    await server.settled()
    const before = server.requests().length
    await fails(['pull', '--policy', 'never', `${server.host}/unknown`], [/there is no such image in the store; see/])
    assert.equal(server.requests().length, before)
  })

  test('newer takes the image of the store when no registry answers, and says so; always does not', async () => {
    const gone = '127.0.0.1:1/gone:1'
    await ok(['tag', name(), gone], store)
    const { stdout, stderr, code } = await run(['pull', '--policy', 'newer', insecure, gone], store)
    assert.deepEqual([stdout.trim(), code], [ids[0], 0])
    assert.match(stderr, /warning: the image in the store is used instead of a newer one: .*127\.0\.0\.1:1/)
    await fails(['pull', '--policy', 'always', insecure, gone], [/127\.0\.0\.1:1: it refuses the connection/], store)
  })
})

describe('platforms', () => {
  before(() => scene.upload('many:1', sampleIndex([amd, arm])))

  test('--platform chooses, and an image for another one is fetched again', async () => {
    const own = { store: scene.at('platforms') }
    const name = `${server.host}/many:1`
    assert.equal(await ok(['pull', '--platform', 'linux/amd64', insecure, name], own), hexOf(amd.config.digest))
    assert.equal(await ok(['pull', '--platform', 'linux/arm64', insecure, name], own), hexOf(arm.config.digest))
    const c = await ok(['from', '--arch', 'arm64', '--pull=never', name], own)
    assert.equal(await ok(['inspect', '--format', '{{.OCIv1.Architecture}}', c], own), 'arm64')
    await fails(
      ['from', '--arch', 'amd64', '--pull=never', name],
      [/is for linux\/arm64, not for .* linux\/amd64/],
      own,
    )
  })

  test('--all-platforms brings the list with every image', async () => {
    const own = { store: scene.at('all') }
    const name = `${server.host}/many:1`
    await ok(['pull', '--all-platforms', insecure, name], own)
    const list = JSON.parse(await ok(['manifest', 'inspect', name], own))
    assert.deepEqual(
      list.manifests.map(({ digest }: { digest: string }) => digest),
      [amd.top.digest, arm.top.digest],
    )
    for (const arch of ['amd64', 'arm64']) {
      const c = await ok(['from', '--arch', arch, '--pull=never', name], own)
      assert.equal(await ok(['inspect', '--format', '{{.OCIv1.Architecture}}', c], own), arch)
    }
  })

  test('--all-platforms fetches the list though the store has one of its images; the other policies stay as they are', async () => {
    const own = { store: scene.at('part') }
    const name = `${server.host}/many:1`
    await ok(['pull', insecure, name], own)
    await ok(['pull', '--all-platforms', '--policy=never', name], own)
    await fails(['manifest', 'inspect', name], [/it is an image, not a list/], own)
    await ok(['pull', '--all-platforms', insecure, name], own)
    assert.equal(JSON.parse(await ok(['manifest', 'inspect', name], own)).manifests.length, 2)
    await server.settled()
    const asked = server.requests().length
    await ok(['pull', '--all-platforms', insecure, name], own)
    assert.equal(server.requests().length, asked)
  })

  test('a list of the store gives the image for the platform, and its name to the container', async () => {
    const own = { store: scene.at('listed') }
    const name = `${server.host}/many:1`
    await ok(['pull', '--all-platforms', insecure, name], own)
    await ok(['manifest', 'create', '--all', 'mine', name], own)
    for (const [asked, shown] of [
      [name, name],
      [remote('many:1'), name],
      ['mine', 'localhost/mine:latest'],
    ] as const)
      for (const one of [amd, arm]) {
        const flags = ['--platform', `linux/${one.platform.architecture}`]
        assert.equal(await ok(['pull', ...flags, '--policy=never', asked], own), hexOf(one.config.digest))
        const c = await ok(['from', ...flags, '--pull=never', asked], own)
        const template = '{{.FromImage}} {{.FromImageID}} {{.OCIv1.Architecture}}'
        const expected = `${shown} ${hexOf(one.config.digest)} ${one.platform.architecture}`
        assert.equal(await ok(['inspect', '--format', template, c], own), expected)
      }
  })

  test('one that is not there is told with those that are', async () => {
    const words = ['pull', '--platform', 'linux/s390x', insecure, `${server.host}/many:1`]
    await fails(words, [/no image for linux\/s390x.*linux\/amd64, linux\/arm64/])
  })
})

test('what is not in the registry is told once, and leaves nothing', async () => {
  await fails(['pull', insecure, `${server.host}/team/web:gone`], [/team\/web:gone: .*127\.0\.0\.1/])
  await put(bench, one, `oci:${scene.at('files')}:one`)
  assert.equal(await ok(['pull', '--policy', 'never', `oci:${scene.at('files')}:one`]), hexOf(one.config.digest))
})

refuses([
  [['pull'], /^builder: pull IMAGE: it is missing/],
  [['pull', ''], /^builder: pull "": there is no such image in the store/],
  [
    ['pull', 'gone'],
    /^builder: pull gone: there is no such image in the store, and nothing says which registry it is in/,
  ],
  [
    ['pull', '--policy', 'never', 'gone'],
    /^builder: pull gone: there is no such image in the store; see builder images/,
  ],
  [['pull', '--policy', 'sometimes', 'web'], /"sometimes" is not one of always, missing, never, newer/],
  [['pull', '--policy', 'always', 'localhost/web'], /pull localhost\/web: no registry has names of localhost\//],
  [['pull', '--platform', 'a b', 'web'], /platform "a b": it is not os\/arch/],
  [
    ['pull', '--all-platforms', '--platform', 'linux/arm64', 'web'],
    /--platform linux\/arm64: it excludes --all-platforms/,
  ],
  [['pull', '--authfile', '/nonexistent/auth.json', 'docker://127.0.0.1:1/x'], /\/nonexistent\/auth\.json/],
  [['pull', 'docker://'], /it is not docker:\/\/\[REGISTRY\/\]NAME/],
  [['pull', 'docker://a:b:c'], /it is not docker:\/\/\[REGISTRY\/\]NAME/],
  [['pull', 'oci:/nope'], /^builder: read image oci:\/nope: there is no such directory/],
  [['pull', 'sif:x'], /builder has no transport sif:/],
  [['pull', '--quiet=maybe', 'web'], /--quiet: "maybe" is neither true nor false/],
  [['pull', '--all-tags', 'web'], /pull --all-tags: there is no such flag/],
])

// Images and registries that mean harm, met by the real command: a clear error, in bounded time, and nothing stays.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import { type Digest, digestOf } from '../../sdk/image/digest.js'
import { type RawEntry, rawEntry, tarOf } from '../layer/tar-bytes.js'
import { startOwnRegistry } from '../transport/registry/own-registry.js'
import { add, resealed, type Sample, sampleImage } from '../transport/sample.js'
import { assertUntouched, newScene, type Scene } from './scene.js'

const zeros = 300_001_280

describe('a layer of 300 MB of zeros in 300 KB', () => {
  const { image, diffID } = bomb()
  const says = [
    /builder: copy image \S+: unpack layer sha256:\w{64}: its 29\d{4} bytes decompress to more than 268435456, more than/,
    /more than 200 times as many: it looks like a decompression bomb; if you trust the image, allow more with BUILDER_/,
  ]

  for (const verb of ['pull', 'from'])
    test(`is refused by ${verb}`, async (t) => {
      const scene = newScene(t)
      await scene.refuses([verb, layoutOf(scene, image)], says)
      await assertUntouched(scene)
      assert.deepEqual(readdirSync(join(scene.root, 'layers')), [])
    })

  test('is taken when it is asked for, and its zeros take no room', async (t) => {
    const scene = newScene(t)
    const place = layoutOf(scene, image)
    await scene.ok(['pull', place], { env: { BUILDER_LAYER_RATIO: '0' } })
    const record = readFileSync(join(scene.root, 'layers', diffID.slice(7), 'layer.json'), 'utf8')
    assert.equal(JSON.parse(record).size, zeros + 3 * 512)
  })

  test('with a variable that is no number is not even tried', async (t) => {
    const scene = newScene(t)
    const options = { env: { BUILDER_LAYER_RATIO: 'much' } }
    await scene.refuses(
      ['pull', layoutOf(scene, image)],
      [/BUILDER_LAYER_RATIO is "much", not a whole number/],
      options,
    )
    await assertUntouched(scene)
  })
})

describe('an archive whose own entries lead out', () => {
  const oci = Object.entries(layoutFiles(sampleImage()))
  const docker: readonly [string, string | Buffer][] = dockerFiles()
  const secret = '../secret'
  for (const [transport, files, led, document] of [
    ['oci-archive', oci, 'blob', 'index.json'],
    ['docker-archive', docker, 'layer.tar', 'manifest.json'],
  ] as const)
    for (const [title, entry, says] of [
      ['an absolute link', { flag: '2', link: '/etc/passwd' }, /is a link to \/etc\/passwd, outside of the archive/],
      ['a link with ..', { flag: '2', link: '../../../../etc/passwd' }, /outside of the archive/],
      ['a hard link with ..', { flag: '1', link: '../../etc/passwd' }, /outside of the archive/],
    ] as const)
      test(`${transport}: ${title} in the place of its ${led} or ${document}`, async (t) => {
        const scene = newScene(t)
        for (const name of [document, files.map(([it]) => it).find((it) => it !== document && isData(it)) ?? '']) {
          const entries = files.map(([it, body]): RawEntry => (it === name ? { name, ...entry } : { name: it, body }))
          writeFileSync(scene.at('x.tar'), tarOf(...entries))
          await scene.refuses(['pull', `${transport}:${scene.at('x.tar')}`], [says])
        }
        await scene.refuses(['image', 'copy', `${transport}:${scene.at('x.tar')}`, `dir:${scene.at('copied')}`], [says])
        await assertUntouched(scene)
        assert.equal(existsSync(scene.at('copied')), false)
      })

  for (const [transport, files] of [
    ['oci-archive', oci],
    ['docker-archive', docker],
  ] as const)
    test(`${transport}: names with .. and from the root are written nowhere`, async (t) => {
      const scene = newScene(t)
      const strays = [secret, '/builder-was-here', 'a/../../secret'].map((name) => ({ name, body: 'evil' }))
      writeFileSync(scene.at('x.tar'), tarOf(...strays, ...files.map(([name, body]) => ({ name, body }))))
      await scene.ok(['pull', `${transport}:${scene.at('x.tar')}`])
      await scene.ok(['image', 'copy', `${transport}:${scene.at('x.tar')}`, `dir:${scene.at('copied')}`])
      assert.equal(existsSync('/builder-was-here'), false)
      assert.deepEqual(readdirSync(scene.folder).sort(), ['copied', 'root', 'run', 'x.tar'])
    })
})

describe('a registry', { concurrency: true }, () => {
  const image = sampleImage()
  const login = Buffer.from('me:of-a-file').toString('base64')
  const verbs = [
    ['pull', []],
    ['image copy', ['dir:copied']],
  ] as const

  // Several attempts, a second each: the others go on meanwhile.
  for (const [verb, target] of verbs)
    test(`that brings nothing any more: ${verb} ends when the time is up`, async (t) => {
      await using registry = await startOwnRegistry({
        instead(_, response, url) {
          if (!url.pathname.includes('/blobs/')) return false
          response.writeHead(200).write('x')
          return true
        },
      })
      registry.hold(image, '1')
      const scene = newScene(t)
      const words = [...verb.split(' '), flagFor(verb), `docker://${registry.host}/web:1`, ...target]
      const options = { env: { BUILDER_REGISTRY_TIMEOUT: '1' }, cwd: scene.folder }
      await scene.refuses(words, [/127\.0\.0\.1:\d+: nothing came for 1 seconds/], options)
      await assertUntouched(scene)
      assert.equal(existsSync(scene.at('copied')), false)
    })

  for (const [verb, target] of verbs)
    test(`that sends ${verb} to another host: what is secret goes nowhere, and is seen nowhere`, async (t) => {
      const seen: string[] = []
      await using other = await startOwnRegistry()
      await using registry = await startOwnRegistry({
        instead({ headers: { authorization }, url }, response) {
          seen.push(...commandLines())
          const isAway = url?.includes('/blobs/') === true
          if (authorization === undefined)
            response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(`{"errors":[]}`)
          else if (isAway) response.writeHead(307, { location: `http://${other.host}${url}` }).end()
          return authorization === undefined || isAway
        },
      })
      for (const one of [other, registry]) one.hold(image, '1')
      const scene = newScene(t)
      writeFileSync(scene.at('auth.json'), JSON.stringify({ auths: { [registry.host]: { auth: login } } }))
      const words = [flagFor(verb), `docker://${registry.host}/web:1`, ...target]
      const options = { env: { REGISTRY_AUTH_FILE: scene.at('auth.json') }, cwd: scene.folder }
      const { code, stdout, stderr } = await scene.run(['--log-level=debug', ...verb.split(' '), ...words], options)
      assert.equal(code, 0, stderr)
      assert.ok(other.requests.length > 0)
      assert.deepEqual(
        other.requests.flatMap(({ authorization }) => authorization ?? []),
        [],
      )
      assert.ok(registry.requests.some(({ authorization }) => authorization === `Basic ${login}`))
      for (const text of [stdout, stderr, ...seen]) assert.doesNotMatch(text, new RegExp(`of-a-file|${login}`))
    })

  for (const [title, status, says] of [
    ['refuses the login', 401, /it wants a login \(401: UNAUTHORIZED: no me:\*\*\*\); log in with builder login/],
    [
      'does not permit it',
      403,
      /it does not permit this \(403: UNAUTHORIZED: no me:\*\*\*\); log in as a user who may/,
    ],
  ] as const)
    test(`that ${title} and says the password: no message has it`, async (t) => {
      await using registry = await startOwnRegistry({
        instead({ headers: { authorization } }, response) {
          const errors = [{ code: 'UNAUTHORIZED', message: 'no me:open-sesame' }]
          response.writeHead(authorization ? status : 401, { 'www-authenticate': 'Basic realm="x"' })
          response.end(JSON.stringify({ errors }))
          return true
        },
      })
      const scene = newScene(t)
      const words = ['--log-level=debug', 'pull', '--tls-verify=false', '--creds=me:open-sesame']
      const stderr = await scene.run([...words, `docker://${registry.host}/web:1`])
      assert.match(stderr.stderr, says)
      assert.doesNotMatch(stderr.stderr, /open-sesame|bWU6b3Blbi1zZXNhbWU/)
    })
})

describe('a transport with a typing slip', () => {
  for (const [text, hint] of [
    ['dcoker://web', 'did you mean docker://web?'],
    ['Docker://web', 'did you mean docker://web?'],
    ['docker:/web', 'docker: counts only with two slashes; did you mean docker://web?'],
    ['ocj:/srv/web', 'did you mean oci:/srv/web?'],
    ['oci-archve:/srv/web.tar', 'did you mean oci-archive:/srv/web.tar?'],
    ['https://quay.io/web', 'use one of docker://, oci:, oci-archive:'],
  ] as const)
    test(text, async (t) => {
      const scene = newScene(t)
      const says = [new RegExp(`^builder: read image location ${text}: .*${hint.replace(/[?.]/g, '\\$&')}`)]
      await scene.refuses(['pull', text], says)
      if (text !== 'dcoker://web') return
      await scene.refuses(['from', text], says)
      await scene.refuses(['image', 'inspect', text], says)
      await scene.refuses(['image', 'copy', text, `dir:${scene.at('copied')}`], says)
    })
})

/** The same bytes over and over: gzip may have many members, so that ten small ones are as good as a large one. */
function bomb(): { readonly image: Sample; readonly diffID: Digest } {
  const header = rawEntry({ name: 'zeros', size: zeros })
  const [tenth, end] = [Buffer.alloc(zeros / 10), Buffer.alloc(1024)]
  const member = gzipSync(tenth)
  const hash = createHash('sha256').update(header)
  for (let i = 0; i < 10; i++) hash.update(tenth)
  const diffID: Digest = `sha256:${hash.update(end).digest('hex')}`
  const image = sampleImage({ files: ['one'] })
  const layer = Buffer.concat([gzipSync(header), ...Array.from({ length: 10 }, () => member), gzipSync(end)])
  const settings = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [diffID] } }
  const config = add(image.blobs, mediaTypes.config, JSON.stringify(settings))
  return { image: resealed(image, config, [add(image.blobs, mediaTypes.layerGzip, layer)]), diffID }
}

/** An image as the files of an OCI layout. */
function layoutFiles({ top, blobs }: Sample): Readonly<Record<string, string | Buffer>> {
  const named = [...blobs].map(([digest, bytes]) => [`blobs/sha256/${digest.slice(7)}`, Buffer.from(bytes)] as const)
  const index = { schemaVersion: 2, manifests: [top] }
  const documents = { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}', 'index.json': JSON.stringify(index) }
  return { ...documents, ...Object.fromEntries(named) }
}

function layoutOf(scene: Scene, image: Sample): string {
  mkdirSync(scene.at('layout/blobs/sha256'), { recursive: true })
  for (const [name, bytes] of Object.entries(layoutFiles(image))) writeFileSync(scene.at(`layout/${name}`), bytes)
  return `oci:${scene.at('layout')}`
}

function dockerFiles(): [string, string | Buffer][] {
  const layer = tarOf({ name: 'a', body: 'x' })
  const rootfs = { type: 'layers', diff_ids: [digestOf(layer)] }
  const manifest = [{ Config: 'config.json', RepoTags: ['localhost/web:1'], Layers: ['one/layer.tar'] }]
  return [
    ['config.json', JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs })],
    ['one/layer.tar', layer],
    ['manifest.json', JSON.stringify(manifest)],
  ]
}

/** What holds the image itself. */
function isData(name: string): boolean {
  return name.startsWith('blobs/') || name.endsWith('layer.tar')
}

function flagFor(verb: string): string {
  return verb === 'pull' ? '--tls-verify=false' : '--src-tls-verify=false'
}

/** Of every process that can be seen. */
function commandLines(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    try {
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')]
    } catch {
      return []
    }
  })
}

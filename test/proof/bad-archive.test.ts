import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type RawEntry, tarOf } from '../layer/tar-bytes.js'
import { assertUntouched, isRoot, layersOf, newScene, type Scene } from './scene.js'

interface Case {
  readonly title: string
  readonly entries: readonly RawEntry[]
  readonly says: readonly RegExp[]
  /** Only where the ids are mapped. */
  readonly mapped?: true
}

const file = (name: string): RawEntry => ({ name, body: 'evil' })

const cases: readonly Case[] = [
  { title: 'a name with ..', entries: [file('../evil')], says: [/\.\.\/evil/, /leaves the root/] },
  { title: 'an absolute name with ..', entries: [file('/../evil')], says: [/leaves the root/] },
  {
    title: 'a file through a link out of the root',
    entries: [{ name: 'way', flag: '2', link: '/tmp' }, file('way/evil')],
    says: [/\/way\/evil/, /symbolic link/],
  },
  { title: 'a hard link to nothing', entries: [{ name: 'a', flag: '1', link: 'nothing' }], says: [/\/a/, /nothing/] },
  {
    title: 'a size beyond the end',
    entries: [{ name: 'a', body: 'x', size: 1_000_000 }],
    says: [/\/a|ends|truncated|cut/],
  },
  {
    title: 'a device in a user namespace',
    entries: [{ name: 'dev/sda', flag: '4', major: 8, minor: 0 }],
    says: [/dev\/sda/, /device/],
    mapped: true,
  },
  {
    title: 'an owner outside the id map',
    entries: [{ ...file('a'), uid: 70000 }],
    says: [
      /uid 70000 of \S*\/?a is outside the id map of user \S+ \(65536 ids\)/,
      /add a larger range to \/etc\/subuid/,
    ],
    mapped: true,
  },
]

for (const { title, entries, says, mapped } of cases)
  test(`refused: ${title}`, async (t) => {
    if (mapped && isRoot()) return t.skip('root maps every id')
    const scene = newScene(t)
    const layer = tarOf(...entries)
    const archive = archiveWith(scene, layer)
    await t.test('as a layer, by pull', async () => {
      await scene.refuses(['pull', `oci-archive:${archive}`], [/^builder: /m, ...says])
      await assertUntouched(scene)
    })
    await t.test('as a layer, by from', async () => {
      await scene.refuses(['from', `oci-archive:${archive}`], [/^builder: /m, ...says])
      await assertUntouched(scene)
    })
    await t.test('as an archive to add', async () => {
      await scene.ok(['from', '--name', 'c', 'scratch'])
      writeFileSync(scene.at('x.tar'), layer)
      await scene.refuses(['add', 'c', scene.at('x.tar'), '/'], [/^builder: unpack \S+x\.tar: /, ...says])
      await assertUntouched(scene, { containers: 1 })
      await scene.ok(['commit', 'c', 'after'])
    })
  })

test('an absolute name stays below the root', async (t) => {
  const scene = newScene(t)
  const archive = archiveWith(scene, tarOf({ name: '/proof-of-builder', body: 'x' }))
  await scene.ok(['from', '--name', 'c', `oci-archive:${archive}`])
  await scene.ok(['copy', '--from', 'c', 'c', '/proof-of-builder', '/again'])
})

test('an archive of a user keeps its absolute links', async (t) => {
  const scene = newScene(t)
  await scene.ok(['from', '--name', 'c', 'scratch'])
  const link = { name: 'way', flag: '2', link: '/etc/target' }
  writeFileSync(scene.at('x.tar'), tarOf(link, { name: 'a', body: 'x' }, { name: 'b', flag: '1', link: 'a' }))
  await scene.ok(['add', '-q', 'c', scene.at('x.tar'), '/'])
  await scene.ok(['commit', 'c', 'after'])
  assert.deepEqual((await layersOf(scene, 'after', '-tvf'))[0]?.map(nameAndLink), [
    'a',
    'b link to a',
    'way -> /etc/target',
  ])
})

test('refused: an archive that was cut or altered', async (t) => {
  const scene = newScene(t)
  const layer = tarOf({ name: 'a', body: 'x'.repeat(50_000) })
  const whole = archiveBytes(layer)
  const altered = Buffer.from(whole)
  altered.write('y', whole.indexOf('x'.repeat(1000)) + 500)
  const damages: readonly (readonly [string, Buffer, readonly RegExp[]])[] = [
    ['cut in the middle', whole.subarray(0, whole.length / 2), [/cut off|truncated|ends/]],
    ['one byte of a layer', altered, [/digest/, /altered|damaged|again/]],
    ['no archive at all', Buffer.from('hello'), [/not a tar|not an archive|oci/]],
    ['empty', Buffer.alloc(0), [/empty|ends|no |not /]],
    ['another diffID', archiveBytes(layer, { diffID: `sha256:${'0'.repeat(64)}` }), [/diffID|digest/i]],
    ['garbage as a layer', archiveBytes(Buffer.from('no tar'.repeat(300))), [/tar|header|checksum/]],
    [
      'gzip that ends too early',
      archiveBytes(gzipSync(layer).subarray(0, 90), { gzip: true }),
      [/unpack layer sha256:\w{64}: gzip data: unexpected end/],
    ],
  ]
  for (const [title, bytes, says] of damages)
    for (const verb of ['pull', 'from'])
      await t.test(`${verb}: ${title}`, async () => {
        writeFileSync(scene.at('x.tar'), bytes)
        await scene.refuses([verb, `oci-archive:${scene.at('x.tar')}`], [/^builder: /m, ...says])
        await assertUntouched(scene)
      })
})

function nameAndLink(line: string): string {
  return line.split(/ \d\d:\d\d /)[1] ?? line
}

function archiveWith(scene: Scene, layer: Buffer): string {
  const path = scene.at('hostile.tar')
  writeFileSync(path, archiveBytes(layer))
  return path
}

/** An OCI archive with one layer, whatever its bytes are. */
function archiveBytes(layer: Buffer, given: { diffID?: string; gzip?: true } = {}): Buffer {
  const blobs: RawEntry[] = []
  const add = (type: string, bytes: Buffer | string) => {
    const body = Buffer.from(bytes as string)
    const hex = createHash('sha256').update(body).digest('hex')
    blobs.push({ name: `blobs/sha256/${hex}`, body })
    return { mediaType: `application/vnd.oci.image.${type}`, digest: `sha256:${hex}`, size: body.length }
  }
  const top = add(given.gzip ? 'layer.v1.tar+gzip' : 'layer.v1.tar', layer)
  const rootfs = { type: 'layers', diff_ids: [given.diffID ?? top.digest] }
  const config = add('config.v1+json', JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }))
  const manifest = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [top] }
  const manifests = [add('manifest.v1+json', JSON.stringify(manifest))]
  return tarOf(
    { name: 'oci-layout', body: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', body: JSON.stringify({ schemaVersion: 2, manifests }) },
    ...blobs,
  )
}

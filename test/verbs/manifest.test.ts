import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { builder, tempDir } from '../lane.js'
import { refuses, said } from './cases.js'

interface Shown {
  readonly mediaType: string
  readonly manifests: readonly {
    readonly mediaType: string
    readonly digest: string
    readonly platform: Readonly<Record<string, unknown>>
    readonly annotations?: Readonly<Record<string, string>>
  }[]
}

const host = process.arch === 'arm64' ? 'arm64' : 'amd64'

async function shown(list: string): Promise<Shown> {
  return JSON.parse(await said('manifest', 'inspect', list)) as Shown
}

async function architectures(list: string): Promise<readonly unknown[]> {
  return (await shown(list)).manifests.map(({ platform }) => platform.architecture)
}

async function digestOf(image: string): Promise<string> {
  return said('images', '--format', '{{.Digest}}', image)
}

before(async () => {
  for (const [name, arch] of [
    ['web:host', host],
    ['web:s390x', 's390x'],
    ['web:riscv', 'riscv64'],
  ] as const) {
    const c = await said('from', 'scratch')
    await said('config', '--arch', arch, '--env', `A=${arch}`, c)
    await said('commit', '--rm', '-q', c, name)
  }
})

test('manifest create prints the ID of the list, empty or with images', async () => {
  assert.match(await said('manifest', 'create', 'empty'), /^[0-9a-f]{64}$/)
  assert.deepEqual((await shown('empty')).manifests, [])
  const id = await said('manifest', 'create', 'two', 'web:host', 'web:s390x')
  assert.deepEqual(await architectures('two'), [host, 's390x'])
  assert.equal(await said('images', '--quiet', '--no-trunc', 'two'), `sha256:${id}`)
  await said('manifest', 'create', '--amend', 'two', 'web:riscv')
  assert.deepEqual(await architectures('two'), [host, 's390x', 'riscv64'])
})

test('manifest add says the list and the image, and what flags say of it', async () => {
  await said('manifest', 'create', 'add')
  const flags = [
    '--variant',
    'v2',
    '--os-version',
    '10',
    '--features',
    'f1,f2',
    '--os-features',
    'of',
    '--annotation',
    'a=b=c',
  ]
  const line = await said('manifest', 'add', ...flags, 'add', 'web:s390x')
  assert.match(line, new RegExp(`^[0-9a-f]{64}: ${await digestOf('web:s390x')}$`))
  const [member] = (await shown('add')).manifests
  assert.deepEqual(member?.annotations, { a: 'b=c' })
  assert.deepEqual(member?.platform, {
    architecture: 's390x',
    features: ['f1', 'f2'],
    os: 'linux',
    'os.features': ['of'],
    'os.version': '10',
    variant: 'v2',
  })
  await said('manifest', 'add', '--arch', 'ppc64le', 'add', 'web:s390x')
  assert.deepEqual(await architectures('add'), ['ppc64le'])
})

test('manifest add takes one image of a list, or all with --all', async () => {
  await said('manifest', 'create', 'source', 'web:host', 'web:s390x')
  await said('manifest', 'create', 'one')
  await said('manifest', 'add', 'one', 'source')
  assert.deepEqual(await architectures('one'), [host])
  await said('manifest', 'add', '--arch', 's390x', 'one', 'source')
  assert.deepEqual(await architectures('one'), [host, 's390x'])
  await said('manifest', 'create', '--all', 'all', 'source')
  assert.deepEqual(await architectures('all'), [host, 's390x'])
})

test('several processes add to one list at once', async () => {
  await said('manifest', 'create', 'crowd')
  const names = ['web:host', 'web:s390x', 'web:riscv']
  await Promise.all(names.map((name) => said('manifest', 'add', 'crowd', name)))
  assert.deepEqual([...(await architectures('crowd'))].sort(), [host, 's390x', 'riscv64'].sort())
})

test('manifest annotate and remove take a digest or a name', async () => {
  await said('manifest', 'create', 'notes', 'web:host', 'web:s390x', 'web:riscv')
  const digest = await digestOf('web:s390x')
  await said('manifest', 'annotate', '--annotation', 'x=y', 'notes', digest)
  await said('manifest', 'annotate', '--annotation', 'z=', '--variant', 'v9', 'notes', 'web:s390x')
  const [, member] = (await shown('notes')).manifests
  assert.deepEqual([member?.annotations, member?.platform.variant], [{ x: 'y', z: '' }, 'v9'])
  assert.match(await said('manifest', 'remove', 'notes', digest), new RegExp(`^[0-9a-f]{64}: ${digest}$`))
  await said('manifest', 'remove', 'notes', 'web:riscv')
  assert.deepEqual(await architectures('notes'), [host])
})

describe('manifest exists answers by its exit code', () => {
  for (const [list, code] of [
    ['known', 0],
    ['unknown', 1],
  ] as const)
    test(list, async () => {
      if (code === 0) await said('manifest', 'create', list)
      assert.deepEqual(await builder(['manifest', 'exists', list]), { code, stdout: '', stderr: '' })
    })
})

test('manifest push --rm leaves a list of the same content under another name', async (t) => {
  await said('manifest', 'create', 'same1', 'web:riscv', 'web:s390x')
  await said('tag', 'same1', 'same2')
  await said('manifest', 'push', '--rm', 'same1', `dir:${join(tempDir(t), 'dir')}`)
  assert.equal((await builder(['manifest', 'exists', 'same1'])).code, 1)
  assert.deepEqual(await architectures('same2'), ['riscv64', 's390x'])
})

test('manifest push writes list and images, and says the digest', async (t) => {
  const folder = tempDir(t)
  await said('manifest', 'create', 'out', 'web:host', 'web:s390x')
  const oci = `oci:${join(folder, 'oci')}:web`
  const digest = await said('manifest', 'push', '--digestfile', join(folder, 'digest'), 'out', oci)
  assert.equal(readFileSync(join(folder, 'digest'), 'utf8'), digest)
  assert.deepEqual(await shown(oci), await shown('out'))
  const docker = `dir:${join(folder, 'dir')}`
  await said('manifest', 'push', '--format', 'v2s2', 'out', docker)
  const types = (await shown(docker)).manifests.map(({ mediaType }) => mediaType)
  assert.deepEqual([...new Set(types)], ['application/vnd.docker.distribution.manifest.v2+json'])
  await said('manifest', 'push', '--no-all', '--rm', 'out', `dir:${join(folder, 'alone')}`)
  assert.ok(existsSync(join(folder, 'alone/manifest.json')))
  assert.equal((await builder(['manifest', 'exists', 'out'])).code, 1)
})

test('an image from elsewhere is kept with the list, without a name', async (t) => {
  const folder = tempDir(t)
  await said('manifest', 'create', 'made', 'web:host', 'web:s390x')
  await said('manifest', 'push', 'made', `oci:${join(folder, 'oci')}:web`)
  const store = join(folder, 'other')
  const other = async (...words: string[]) => {
    const { stdout, stderr, code } = await builder(words, { store })
    assert.equal(code, 0, stderr)
    return stdout.trim()
  }
  await other('manifest', 'create', '--all', 'all', `oci:${join(folder, 'oci')}:web`)
  await other('manifest', 'create', 'one')
  await other('manifest', 'add', '--arch', 's390x', 'one', `oci:${join(folder, 'oci')}:web`)
  assert.equal(await other('images', '--noheading', '--filter', 'dangling=true'), '')
  await other('prune')
  const c = await other('from', '--arch', 's390x', 'all')
  assert.equal(c, 'all-working-container')
  assert.equal(await other('inspect', '--format', '{{.OCIv1.Architecture}}', c), 's390x')
  await other('manifest', 'rm', 'all', 'one')
  assert.match(await other('check', '--deep'), /^the store is whole: 1 image/)
  await other('rm', c)
  await other('prune')
  assert.match(await other('check'), /^the store is whole: 0 images, 0 layers/)
})

test('the name of a list means its image for this machine where one is needed', async () => {
  await said('manifest', 'create', 'multi', 'web:s390x', 'web:host')
  const c = await said('from', 'multi')
  assert.equal(c, 'multi-working-container')
  assert.equal(await said('inspect', '--format', '{{.FromImage}}', c), 'localhost/multi:latest')
  assert.equal(await said('inspect', '--type', 'image', '--format', '{{.OCIv1.Architecture}}', 'multi'), host)
  await said('rm', c)
})

test('commit --manifest adds to a list, and makes it', async () => {
  const c = await said('from', 'web:s390x')
  const id = await said('commit', '--manifest', 'built', c)
  assert.deepEqual(await architectures('built'), ['s390x'])
  assert.equal(await said('inspect', '--type', 'image', '--format', '{{.FromImageID}}', id.slice(0, 12)), id)
  await said('config', '--arch', 'riscv64', c)
  await said('commit', '--rm', '--manifest', 'built', c, 'named')
  assert.deepEqual(await architectures('built'), ['s390x', 'riscv64'])
  await said('rmi', 'named')
})

test('rmi takes an image from its name and leaves it with the list; it takes lists too', async () => {
  const c = await said('from', 'scratch')
  await said('config', '--arch', 'sparc64', c)
  const id = await said('commit', '--rm', c, 'lone')
  const digest = await digestOf('lone')
  await said('manifest', 'create', 'keeper', 'lone')
  assert.equal(await said('rmi', 'lone'), 'localhost/lone:latest')
  const { stderr, code } = await builder(['rmi', id])
  assert.equal(code, 125)
  assert.match(
    stderr,
    new RegExp(
      `it belongs to localhost/keeper:latest; builder manifest remove localhost/keeper:latest ${digest} takes it out`,
    ),
  )
  await said('tag', 'keeper', 'keeper:2')
  assert.equal(await said('rmi', 'keeper:2'), 'localhost/keeper:2')
  assert.match(await said('rmi', 'keeper'), /^[0-9a-f]{64}$/)
  assert.match((await builder(['inspect', id])).stderr, /no container or image has this name/)
})

test('manifest rm removes all that are named, or none', async () => {
  const first = await said('manifest', 'create', 'gone1', 'web:riscv', 'web:host')
  await said('tag', 'gone1', 'gone2')
  assert.match(
    (await builder(['manifest', 'rm', 'gone1', 'nope'])).stderr,
    /^builder: manifest rm nope: there is no such/,
  )
  assert.equal(await said('manifest', 'rm', 'gone1', 'gone2'), `localhost/gone1:latest\n${first}`)
})

test('the group shows its members', async () => {
  for (const words of [['manifest'], ['manifest', '--help'], ['help', 'manifest']])
    assert.match(await said(...words), /^ {2}add .*\n {2}annotate .*\n {2}create .*\n {2}exists /m)
})

refuses([
  [['manifest', 'create'], /^builder: manifest create LIST: it is missing/],
  [
    ['manifest', 'create', 'two'],
    /^builder: manifest create localhost\/two:latest: there is such a list already; say --amend/,
  ],
  [['manifest', 'create', 'web:host'], /localhost\/web:host: an image has this name; choose another name/],
  [['manifest', 'create', 'UPPER'], /"UPPER": .*use lower-case letters/],
  [['manifest', 'create', 'new', 'gone'], /^builder: manifest create gone: there is no such image/],
  [['manifest', 'create', 'new', 'oci:/gone'], /^builder: read image oci:\/gone/],
  [['manifest', 'create', '--amend', 'web:host'], /it is an image, not a list/],
  [['manifest', 'inspect', 'new'], /^builder: manifest inspect new: there is no such image/],
  [['manifest', 'inspect', 'web:host'], /^builder: manifest inspect web:host: it is an image, not a list/],
  [['manifest', 'exists', 'web:host'], /it is an image, not a list/],
  [['manifest', 'add', 'gone', 'web:host'], /^builder: manifest add gone: there is no such image/],
  [['manifest', 'add', 'two'], /^builder: manifest add IMAGE: it is missing/],
  [['manifest', 'add', 'two', 'gone'], /^builder: manifest add gone: there is no such image/],
  [['manifest', 'add', '--annotation', 'x', 'two', 'web:host'], /"x": it is not NAME=VALUE/],
  [['manifest', 'add', '--all', '--arch', 'arm', 'two', 'two'], /all images of a list cannot have the same arch/],
  [['manifest', 'add', '--arch', 'mips', 'two', 'two'], /it has no image for linux\/mips; choose one of: linux/],
  [
    ['manifest', 'annotate', 'two', `sha256:${'0'.repeat(64)}`],
    /the list localhost\/two:latest has no such image; it has sha256:/,
  ],
  [['manifest', 'remove', 'empty', 'web:host'], /the list localhost\/empty:latest has no such image; it is empty/],
  [['manifest', 'push', 'two'], /^builder: manifest push DESTINATION: it is missing/],
  [['manifest', 'push', 'web:host', 'dir:/x'], /^builder: manifest push web:host: it is an image, not a list/],
  [['manifest', 'push', 'two', 'docker-archive:/tmp/x.tar'], /it holds the image of one platform at a time/],
  [['manifest', 'push', '--format', 'v1', 'two', 'dir:/x'], /"v1" is not one of oci, v2s2/],
  [['manifest', 'rm', 'web:host'], /^builder: manifest rm web:host: it is an image, not a list/],
  [['manifest', 'rm'], /^builder: manifest rm LIST: it is missing/],
  [['manifest', 'pus'], /^builder: verb manifest pus: there is no such verb; did you mean manifest push\?/],
  [['from', 'empty'], /^builder: from localhost\/empty:latest: it has no image for linux\/.*; its index is empty/],
  [['commit', '--manifest', 'UPPER', 'c'], /"UPPER": .*use lower-case letters/],
])

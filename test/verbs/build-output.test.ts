import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type BuildOptions, build } from '../../sdk/index.js'
import { builder, command, lane, needs, tempDir } from '../lane.js'
import { places } from '../sdk/rooted.js'
import { startOwnRegistry } from '../transport/registry/own-registry.js'

const folder = tempDir({ after })
const tree = join(folder, 'tree')
const time = 1_600_000_000

before(async () => {
  mkdirSync(join(tree, 'files/sub'), { recursive: true })
  writeFileSync(join(tree, 'files/plain'), 'plain')
  writeFileSync(join(tree, 'files/sub/tool'), 'tool')
  chmodSync(join(tree, 'files/sub/tool'), 0o6755)
  chmodSync(join(tree, 'files/plain'), 0o640)
  linkSync(join(tree, 'files/plain'), join(tree, 'files/sub/again'))
  symlinkSync('/etc/passwd', join(tree, 'files/absolute'))
  symlinkSync('../plain', join(tree, 'files/sub/relative'))
  for (const name of ['plain', 'sub/tool']) utimesSync(join(tree, 'files', name), time, time)
  writeFileSync(join(tree, 'Containerfile'), 'FROM scratch\nCOPY --chown=7:8 files /\n')
  await build(tree, { ...places, quiet: true, tag: ['web'] })
})

let number = 0
const fresh = (name = 'out') => join(folder, `${name}${++number}`)

function write(output: string, options: BuildOptions = {}, context = tree) {
  return build(context, { ...places, quiet: true, output: [output], ...options })
}

function describe(path: string): string {
  const { mode, uid, mtimeMs } = lstatSync(path)
  return `${(mode & 0o7777).toString(8)} ${uid === process.getuid?.() ? 'mine' : uid} ${Math.floor(mtimeMs / 1000)}`
}

for (const [title, spec] of [
  ['a folder', (dest: string) => dest],
  ['type=local', (dest: string) => `type=local,dest=${dest}`],
] as const)
  test(`the files go into ${title}, which belongs to the caller`, async () => {
    const out = fresh('deep/out')
    await write(spec(out))
    assert.deepEqual(readdirSync(out).sort(), ['absolute', 'plain', 'sub'])
    assert.equal(describe(join(out, 'plain')), `640 mine ${time}`)
    assert.equal(describe(join(out, 'sub/tool')), `755 mine ${time}`, 'without set-user-ID')
    assert.equal(readlinkSync(join(out, 'absolute')), '/etc/passwd')
    assert.equal(readlinkSync(join(out, 'sub/relative')), '../plain')
    assert.equal(statSync(join(out, 'plain')).ino, statSync(join(out, 'sub/again')).ino)
  })

test('a folder keeps what it has, and gets what is new', async () => {
  const out = fresh()
  mkdirSync(join(out, 'sub'), { recursive: true })
  for (const name of ['own', 'plain', 'sub/own']) writeFileSync(join(out, name), 'before')
  await write(out)
  const text = (name: string) => readFileSync(join(out, name), 'utf8')
  assert.deepEqual(
    [text('own'), text('plain'), text('sub/own'), text('sub/tool')],
    ['before', 'plain', 'before', 'tool'],
  )
})

test('no link in the folder leads out of it', async () => {
  const [out, outside] = [fresh(), fresh('outside')]
  mkdirSync(out)
  mkdirSync(outside)
  symlinkSync(outside, join(out, 'sub'))
  symlinkSync(join(outside, 'plain'), join(out, 'plain'))
  await write(out).catch(() => {})
  assert.deepEqual(readdirSync(outside), [])
})

const inTheWay: Readonly<Record<string, { make: (out: string) => void; code: string; says: RegExp }>> = {
  'a file has the folder’s name': {
    make: (out) => writeFileSync(out, ''),
    code: 'EXISTS',
    says: /^write output \S+: a file of that name is there; name another folder$/,
  },
  'a file is in a folder’s way': {
    make: (out) => {
      mkdirSync(out)
      writeFileSync(join(out, 'sub'), 'a file')
    },
    code: 'INVALID',
    says: /\/sub: a file is in the way/,
  },
  'a folder is in a file’s way': {
    make: (out) => mkdirSync(join(out, 'plain'), { recursive: true }),
    code: 'INVALID',
    says: /\/plain: a directory is in the way/,
  },
}
for (const [title, { make, code, says }] of Object.entries(inTheWay))
  test(`says when ${title}`, async () => {
    const out = fresh()
    make(out)
    await assert.rejects(write(out), { code, message: says })
  })

test('devices are left out, and that is said', async () => {
  if (lane() !== 'root') return
  const place = fresh('devices')
  mkdirSync(place)
  const { code } = await command(['sh', '-ec', 'mknod null c 1 3 && tar -cf d.tar null && rm null'], { cwd: place })
  assert.equal(code, 0)
  writeFileSync(join(place, 'Containerfile'), 'FROM scratch\nADD d.tar /dev\n')
  const out = fresh()
  const words = ['--root', places.root, '--runroot', places.runroot, 'build', '-q', '-o', out, place]
  const { stderr } = await builder(words)
  assert.match(stderr, /^builder: warning: \S+: devices are left out: \/dev\/null$/m)
  assert.deepEqual(readdirSync(join(out, 'dev')), [])
})

test('a tar has the image’s owners and modes, and the same bytes each time', async () => {
  const [one, two] = [fresh('tar'), fresh('tar')]
  writeFileSync(two, 'before')
  for (const dest of [one, two]) await write(`type=tar,dest=${dest}`)
  assert.ok(readFileSync(one).equals(readFileSync(two)))
  const { stdout } = await command(['tar', '--numeric-owner', '-tvf', one])
  assert.match(stdout, /^-rw-r----- 7\/8 .* plain$/m)
  assert.match(stdout, /^-rwsr-sr-x 7\/8 .* sub\/tool$/m)
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('.')),
    [],
  )
})

test('standard output gets the tar and nothing else', async () => {
  const file = fresh('tar')
  await write(`type=tar,dest=${file}`)
  const line = `"$0" --root ${places.root} --runroot ${places.runroot} build -q -o - ${tree} | cmp - ${file}`
  const script = join(folder, 'pipe.sh')
  writeFileSync(script, line)
  const { stdout, stderr, code } = await command(['sh', '-c', line, await launcher()])
  assert.deepEqual([stdout, stderr, code], ['', '', 0])
})

test('a reader of standard output that goes away ends it', async () => {
  const big = fresh('big')
  mkdirSync(big)
  writeFileSync(join(big, 'zeros'), Buffer.alloc(4 * 1024 * 1024))
  writeFileSync(join(big, 'Containerfile'), 'FROM scratch\nCOPY zeros /\n')
  const line = `{ "$0" --root ${places.root} --runroot ${places.runroot} build -q -o - ${big}; echo "code $?" >&2; } | head -c 1`
  const { stderr } = await command(['sh', '-c', line, await launcher()])
  assert.match(stderr, /^builder: write output standard output: .*\ncode 125\n$/)
})

async function launcher(): Promise<string> {
  const { top } = await import('../lane.js')
  return join(top, 'bin/builder')
}

const archives: Readonly<Record<string, { spec: (dest: string) => string; opens: (dest: string) => string }>> = {
  'an archive of OCI': { spec: (dest) => `type=oci,dest=${dest}`, opens: (dest) => `oci-archive:${dest}:latest` },
  'a layout of OCI': { spec: (dest) => `type=oci,tar=false,dest=${dest}`, opens: (dest) => `oci:${dest}:latest` },
  'an archive of docker': {
    spec: (dest) => `type=docker,dest=${dest}`,
    opens: (dest) => `docker-archive:${dest}:localhost/web:latest`,
  },
  'an archive with layers in gzip': {
    spec: (dest) => `type=oci,compression=gzip,dest=${dest}`,
    opens: (dest) => `oci-archive:${dest}:latest`,
  },
}
for (const [title, { spec, opens }] of Object.entries(archives))
  test(`the image goes into ${title}`, async (t) => {
    if (!needs(t, 'skopeo')) return
    const dest = fresh('archive')
    const { id } = await write(spec(dest), { tag: ['web'] })
    const { stdout, stderr } = await command(['skopeo', 'inspect', '--raw', opens(dest)])
    const { config, layers } = JSON.parse(stdout || `"${stderr}"`)
    assert.equal(config.digest, `sha256:${id}`)
    assert.equal(layers.length, 1)
    // Of docker's archive skopeo says what it would make of it.
    if (!opens('').startsWith('docker')) assert.equal(/gzip$/.test(layers[0].mediaType), spec('').includes('gzip'))
  })

test('the image is pushed under each of its names', async () => {
  await using registry = await startOwnRegistry()
  const name = (tag: string) => `${registry.host}/site/web:${tag}`
  const { id, names } = await write(`type=image,"name=${name('1')},${name('2')}",push=true`, { tlsVerify: false })
  assert.deepEqual(names, [name('1'), name('2')])
  for (const tag of ['1', '2']) {
    const manifest = JSON.parse(registry.manifests.get(tag)?.bytes.toString() ?? '{}')
    assert.equal(manifest.config.digest, `sha256:${id}`)
  }
  await write('type=registry', { tag: [name('3')], tlsVerify: false })
  assert.ok(registry.manifests.has('3'))
})

test('an image that is only named is in the store, and several outputs are written', async () => {
  const [out, tar] = [fresh(), fresh('tar')]
  const { names } = await build(tree, {
    ...places,
    quiet: true,
    output: ['type=image,name=one', out, `type=tar,dest=${tar}`],
  })
  assert.deepEqual(names, ['localhost/one:latest'])
  assert.ok(existsSync(join(out, 'plain')) && existsSync(tar))
})

const refused: Readonly<Record<string, { output: () => string; options?: BuildOptions; code: string; says: RegExp }>> =
  {
    'a push of an image without a name': {
      output: () => 'type=registry',
      code: 'USAGE',
      says: /^write output type=image: the image has no name; write --output type=image,name=NAME, or give the image a name with/,
    },
    'a tar of several platforms': {
      output: () => `type=tar,dest=${fresh()}`,
      options: { platform: ['linux/amd64,linux/arm64'] },
      code: 'UNSUPPORTED',
      says: /^write output type=tar,dest=\S+: a tar holds the files of one platform; use type=local/,
    },
    'a tar in a folder that is not there': {
      output: () => `type=tar,dest=${folder}/none/x.tar`,
      code: 'SYSTEM',
      says: /^write output \S+: it does not exist; check the name$/,
    },
    'a folder where none can be made': {
      // A file system that says "there is no such folder" when one is to be made: Node 20 tries again without end.
      output: () => '/proc/none/x',
      code: 'SYSTEM',
      says:
        lane() === 'root'
          ? /^make folder \/proc\/none: no folder can be made there; name another place$/
          : /^build --output \/proc\/none\/x: nothing can be written in \/proc; name another place$/,
    },
    'a link that leads nowhere': {
      output: () => {
        const link = fresh()
        symlinkSync(`${link}-none`, link)
        return join(link, 'x')
      },
      code: 'EXISTS',
      says: /^write output \S+\/x: a file of that name is there; name another folder$/,
    },
    'a registry that is not there': {
      output: () => 'type=registry,name=127.0.0.1:1/web',
      options: { tlsVerify: false },
      code: 'NETWORK',
      says: /127\.0\.0\.1:1/,
    },
  }
for (const [title, { output, options, code, says }] of Object.entries(refused))
  test(`refuses ${title}`, async () => {
    await assert.rejects(write(output(), options), { code, message: says })
    assert.deepEqual(readdirSync(join(places.root, 'tmp')), [])
  })

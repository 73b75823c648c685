import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { AddOptions } from '../../sdk/index.js'
import { builder, command, lane, tempDir } from '../lane.js'
import { container, inRoot, listing, places } from '../sdk/rooted.js'

const src = tempDir({ after })
const content = 'fetched\n'
const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
let server: Server
let origin = ''

before(async () => {
  mkdirSync(join(src, 'tree/q'), { recursive: true, mode: 0o755 })
  writeFileSync(join(src, 'tree/q/one'), '1')
  chmodSync(join(src, 'tree/q/one'), 0o640)
  writeFileSync(join(src, 'plain'), 'plain')
  chmodSync(join(src, 'plain'), 0o644)
  copyFileSync(join(src, 'plain'), join(src, 'plain2'))
  const owners = lane() === 'bare' ? [] : ['--owner=12', '--group=34']
  for (const [name, flag] of [
    ['tar', '-c'],
    ['tar.gz', '-cz'],
    ['tar.xz', '-cJ'],
    ['tar.bz2', '-cj'],
    ['tar.zst', '--zstd', '-c'],
  ] as const)
    assert.equal(
      (
        await command([
          'tar',
          ...owners,
          flag,
          ...(name === 'tar.zst' ? ['-c'] : []),
          '-f',
          join(src, `t.${name}`),
          '-C',
          join(src, 'tree'),
          '.',
        ])
      ).code,
      0,
    )
  server = createServer((request, response) => {
    if (request.url === '/gone') return response.writeHead(404).end()
    if (request.url === '/moved') return response.writeHead(302, { location: '/file' }).end()
    if (request.url === '/t.tar') return response.end(readFileSync(join(src, 't.tar')))
    response.writeHead(200, { 'last-modified': 'Tue, 15 Nov 1994 12:45:26 GMT' }).end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => server.close())

const unpacked = ['t/ 755 0:0', 't/q/ 755 12:34', 't/q/one 640 12:34 1']
const rows: Readonly<
  Record<string, { add: () => readonly string[]; options?: () => AddOptions; gives: readonly string[] }>
> = {
  'a plain tar': { add: () => [`${src}/t.tar`, '/t'], gives: unpacked },
  'a tar in gzip': { add: () => [`${src}/t.tar.gz`, '/t'], gives: unpacked },
  'a tar in xz': { add: () => [`${src}/t.tar.xz`, '/t/'], gives: unpacked },
  'a tar in bzip2': { add: () => [`${src}/t.tar.bz2`, '/t'], gives: unpacked },
  'a tar in zstd': { add: () => [`${src}/t.tar.zst`, '/t'], gives: unpacked },
  'a tar with an owner of one’s own': {
    add: () => [`${src}/t.tar`, '/t'],
    options: () => ({ chown: '3:4' }),
    gives: ['t/ 755 3:4', 't/q/ 755 3:4', 't/q/one 640 3:4 1'],
  },
  'a tar that stays one': {
    add: () => [`${src}/t.tar`, '/t/'],
    options: () => ({ unpack: false }),
    gives: ['t/ 755 0:0', 't/t.tar 644 0:0 10240'],
  },
  'a file': { add: () => [`${src}/plain`, '/p'], gives: ['p 644 0:0 5'] },
  'a folder': { add: () => [`${src}/tree`, '/t'], gives: ['t/ 755 0:0', 't/q/ 755 0:0', 't/q/one 640 0:0 1'] },
  'a URL to a name': { add: () => [`${origin}/file`, '/x'], gives: ['x 600 0:0 8'] },
  'a URL to a folder': { add: () => [`${origin}/file?query=1`, '/x/'], gives: ['x/ 755 0:0', 'x/file 600 0:0 8'] },
  'a URL whose name is encoded': { add: () => [`${origin}/a%20b`, '/x/'], gives: ['x/ 755 0:0', 'x/a b 600 0:0 8'] },
  'a URL to be unpacked': {
    add: () => [`${origin}/t.tar`, '/t'],
    options: () => ({ unpack: true }),
    gives: unpacked,
  },
  'two files that a pattern finds': {
    add: () => [`${src}/p*`, '/x'],
    gives: ['x/ 755 0:0', 'x/plain 644 0:0 5', 'x/plain2 644 0:0 5'],
  },
  'a URL that moved': { add: () => [`${origin}/moved`, '/x'], gives: ['x 600 0:0 8'] },
  'a URL with its digest and a mode': {
    add: () => [`${origin}/file`, '/x'],
    options: () => ({ checksum: digest, chmod: '644' }),
    gives: ['x 644 0:0 8'],
  },
  'an archive by URL, which stays one': { add: () => [`${origin}/t.tar`, '/x'], gives: ['x 600 0:0 10240'] },
  'a file with its digest': {
    add: () => [`${src}/plain`, '/x'],
    options: () => ({ checksum: `sha256:${createHash('sha256').update('plain').digest('hex')}` }),
    gives: ['x 644 0:0 5'],
  },
  'several sources': {
    add: () => [`${src}/plain`, `${origin}/file`, '/x'],
    gives: ['x/ 755 0:0', 'x/file 600 0:0 8', 'x/plain 644 0:0 5'],
  },
}

for (const [title, { add, options = () => ({}), gives }] of Object.entries(rows))
  test(`adds ${title}`, async () => {
    await using c = await container()
    const paths = add()
    await c.add(paths.slice(0, -1), paths.at(-1), options())
    assert.deepEqual(await listing(c), gives)
  })

test('a fetched file has the server’s time', async () => {
  await using c = await container()
  await c.add(`${origin}/file`, '/x')
  assert.equal(await inRoot(c, 'stat -c %Y x'), '784903526\n')
})

test('adds an archive from standard input', async () => {
  await using c = await container()
  const { code, stderr } = await launch(['add', '-q', c.name, '-', '/t'], readFileSync(join(src, 't.tar.gz')))
  assert.equal(code, 0, stderr)
  assert.deepEqual(await listing(c), unpacked)
})

const refused: Readonly<Record<string, { args: (c: string) => readonly string[]; says: RegExp; input?: string }>> = {
  'a wrong digest of a URL': {
    args: (c) => ['--checksum', `sha256:${'0'.repeat(64)}`, c, `${origin}/file`, '/x'],
    says: /^builder: add http:\/\/127\.0\.0\.1:\d+\/file: its digest is sha256:[0-9a-f]{64}, not sha256:0{64}; check/,
  },
  'a wrong digest of a file': {
    args: (c) => ['--checksum', `sha256:${'0'.repeat(64)}`, c, 'plain', '/x'],
    says: /^builder: add plain: its digest is/,
  },
  'a digest that is none': { args: (c) => ['--checksum', 'abc', c, 'plain', '/x'], says: /^builder: .*"?abc"?/ },
  'one digest for two sources': {
    args: (c) => ['--checksum', digest, c, 'plain', 'plain', '/x'],
    says: /more than one source for one --checksum/,
  },
  'a URL that is gone': {
    args: (c) => [c, `${origin}/gone`, '/x'],
    says: /^builder: fetch http:\S+\/gone: the server answered 404 Not Found; check the address/,
  },
  'a URL without a name, to a folder': {
    args: (c) => [c, `${origin}/`, '/x/'],
    says: /^builder: add \/x\/: the address has no file name.*; write the name behind it: \/x\/NAME/,
  },
  'a server that is not there': {
    args: (c) => [c, 'http://127.0.0.1:1/x', '/x'],
    says: /^builder: fetch http:\/\/127\.0\.0\.1:1\/x: /,
  },
  'an address that is none': { args: (c) => [c, 'http://', '/x'], says: /^builder: fetch "?http:\/\/"?: / },
  'input that is no archive': { args: (c) => [c, '-', '/x'], says: /^builder: unpack -: /, input: 'not an archive' },
}

for (const [title, { args, says, input }] of Object.entries(refused))
  test(`refuses ${title}`, async () => {
    await using c = await container()
    const { stdout, stderr, code } = await launch(['add', ...args(c.name)], input)
    assert.deepEqual([stdout, code], ['', 125], stderr)
    assert.match(stderr, says)
    assert.deepEqual(await listing(c), [])
  })

const hostile: Readonly<Record<string, string>> = {
  'leaves by its name': 'tar -cPf evil.tar --transform s,plain,../../evil, plain',
  'leaves through a link of its own':
    'rm -rf l; mkdir l; ln -s /etc l/out; tar -cf evil.tar -C l out; rm l/out; mkdir l/out; echo x >l/out/evil; tar -rf evil.tar -C l out/evil',
}
for (const [title, line] of Object.entries(hostile))
  test(`an archive that ${title} writes nothing outside`, async () => {
    await using c = await container()
    assert.equal((await command(['sh', '-c', line], { cwd: src })).code, 0)
    const { code, stderr } = await launch(['add', c.name, 'evil.tar', '/t'])
    assert.equal(code, 125, stderr)
    assert.equal((await command(['sh', '-c', 'ls /etc/evil ../evil ../../evil 2>/dev/null'], { cwd: src })).stdout, '')
  })

test('nothing is left in tmp', async () => {
  assert.equal((await command(['ls', join(places.root, 'tmp')])).stdout, '')
})

function launch(args: readonly string[], input?: string | Uint8Array) {
  const words = ['--root', places.root, '--runroot', places.runroot, ...args]
  return builder(words, { cwd: src, ...(input === undefined ? {} : { input }) })
}

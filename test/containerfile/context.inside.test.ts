import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { type Context, type ContextOptions, openContext } from '../../sdk/containerfile/context.js'
import { findContainerfile } from '../../sdk/containerfile/find-containerfile.js'
import type { BuilderError, ErrorCode } from '../../sdk/errors.js'
import { openStore, type Store } from '../../sdk/store/store.js'
import { command, tempDir } from '../lane.js'

const folder = tempDir({ after })
let store: Store
let server: Server
let origin = ''

before(async () => {
  store = await openStore({ root: join(folder, 'root'), runroot: join(folder, 'run') })
  mkdirSync(join(folder, 'tree/sub'), { recursive: true })
  writeFileSync(join(folder, 'tree/Containerfile'), 'FROM scratch\nCOPY a /\n')
  writeFileSync(join(folder, 'tree/sub/other'), 'FROM scratch\n')
  writeFileSync(join(folder, 'tree/a'), 'a')
  await tar('plain.tar', ['-c'])
  await tar('x.tar.gz', ['-cz'])
  await tar('x.tar.xz', ['-cJ'])
  await tar('x.tar.bz2', ['-cj'])
  await tar('x.tar.zst', ['--zstd', '-c'])
  await tar('owned.tar', ['--owner=4000000000', '--group=4000000000', '-c'])
  server = createServer((request, response) => {
    if (request.url === '/endless') return endless(response)
    if (request.url === '/broken') {
      response.writeHead(200, { 'content-length': 1000 })
      return response.write('FROM', () => response.destroy())
    }
    if (request.url?.startsWith('/file')) return response.end('FROM scratch\n')
    if (request.headers.authorization === 'Basic bWU6czNjcmV0') return response.end(content('x.tar.gz'))
    if (request.url === '/closed') return response.writeHead(401).end()
    if (request.url === '/x.tar.gz') return response.end(content('x.tar.gz'))
    return response.writeHead(404).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  server.closeAllConnections()
  server.close()
})

function endless(response: NodeJS.WritableStream & { destroyed?: boolean }): void {
  const chunk = Buffer.alloc(65536, 'x')
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', more)
  more()
}

async function tar(name: string, flags: readonly string[]): Promise<void> {
  const words = ['tar', ...flags, '-f', join(folder, name), '-C', join(folder, 'tree'), '.']
  const { code, stderr } = await command(words)
  assert.equal(code, 0, stderr)
}

function content(name: string): Buffer {
  return readFileSync(join(folder, name))
}

function options(input: string | Buffer = '', more: Partial<ContextOptions> = {}): ContextOptions {
  return { store, stdin: () => Readable.from(input.length === 0 ? [] : [Buffer.from(input)]), ...more }
}

const opened: Readonly<Record<string, { where: () => string; input?: () => Buffer }>> = {
  'a folder': { where: () => join(folder, 'tree') },
  'an archive of this machine': { where: () => join(folder, 'x.tar.gz') },
  'a plain archive on standard input': { where: () => '-', input: () => content('plain.tar') },
  'an archive in gzip on standard input': { where: () => '-', input: () => content('x.tar.gz') },
  'an archive in xz on standard input': { where: () => '-', input: () => content('x.tar.xz') },
  'an archive in bzip2 on standard input': { where: () => '-', input: () => content('x.tar.bz2') },
  'an archive in zstd on standard input': { where: () => '-', input: () => content('x.tar.zst') },
  'an archive whose owners have no place in the id map': { where: () => '-', input: () => content('owned.tar') },
  'an archive by address': { where: () => `${origin}/x.tar.gz` },
  'an archive behind a login': { where: () => `${origin.replace('://', '://me:s3cret@')}/guarded` },
}

for (const [title, { where, input }] of Object.entries(opened))
  test(`opens ${title}`, async () => {
    const context = await openContext(where(), options(input?.()))
    assert.doesNotMatch(context.name, /s3cret/)
    assert.deepEqual(readdirSync(context.path).sort(), ['Containerfile', 'a', 'sub'])
    assert.equal(statSync(join(context.path, 'a')).uid, process.getuid?.())
    const found = await findContainerfile(context, undefined, options())
    assert.equal(found.text, 'FROM scratch\nCOPY a /\n')
    await context[Symbol.asyncDispose]()
    assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
  })

for (const [title, where, input] of [
  ['standard input', () => '-', 'FROM scratch\n'],
  ['an address', () => `${origin}/file?token=s3cret`, ''],
] as const)
  test(`a context may be a Containerfile alone, from ${title}`, async () => {
    await using context = await openContext(where(), options(input))
    const found = await findContainerfile(context, undefined, options())
    assert.equal(found.text, 'FROM scratch\n')
    assert.doesNotMatch(found.name, /s3cret/)
    assert.deepEqual(readdirSync(context.path), [])
  })

const found: Readonly<Record<string, { file: string; input?: string; archive?: boolean; text: RegExp }>> = {
  'a path from here': { file: 'REAL/tree/sub/other', text: /^FROM scratch\n$/ },
  'a path in the context': { file: 'sub/other', text: /^FROM scratch\n$/ },
  'a path in an archive': { file: 'sub/other', archive: true, text: /^FROM scratch\n$/ },
  'standard input': { file: '-', input: 'FROM x\n', text: /^FROM x\n$/ },
  'an address': { file: 'ORIGIN/file', text: /^FROM scratch\n$/ },
}

for (const [title, { file, input, archive, text }] of Object.entries(found))
  test(`-f takes ${title}`, async () => {
    await using context = await openContext(join(folder, archive ? 'plain.tar' : 'tree'), options())
    const name = file.replace('REAL', folder).replace('ORIGIN', origin)
    assert.match((await findContainerfile(context, name, options(input))).text, text)
  })

test('looks for Containerfile, then Dockerfile, each with .in', async () => {
  const place = join(folder, 'names')
  mkdirSync(place)
  const context = await openContext(place, options())
  for (const name of ['Dockerfile.in', 'Dockerfile', 'Containerfile.in', 'Containerfile']) {
    writeFileSync(join(place, name), `FROM ${name}\n`)
    const { text, path } = await findContainerfile(context, undefined, options())
    assert.equal(text, `FROM ${name}\n`)
    assert.equal(path, join(place, name))
  }
})

const refused: Readonly<
  Record<
    string,
    {
      where: () => string
      input?: () => string | Buffer
      more?: () => Partial<ContextOptions>
      code: ErrorCode
      says: RegExp
    }
  >
> = {
  'a folder that is not there': {
    where: () => join(folder, 'none'),
    code: 'NOT_FOUND',
    says: /^build \/\S+\/none: there is no such folder; name a folder, an archive, - for standard input, or/,
  },
  'a file that is no archive': {
    where: () => join(folder, 'tree/a'),
    code: 'INVALID',
    says: /^build \S+\/tree\/a: it is not an archive; write -f \S+\/tree\/a and the folder of its files$/,
  },
  'a device': {
    where: () => '/dev/null',
    code: 'INVALID',
    says: /^build \/dev\/null: it is neither a folder nor an archive/,
  },
  'an empty input': { where: () => '-', code: 'INVALID', says: /^build standard input: nothing came; give it/ },
  'an input that is neither': {
    where: () => '-',
    input: () => Buffer.from([1, 0, 2]),
    code: 'INVALID',
    says: /^build standard input: it is neither an archive nor a Containerfile; give it/,
  },
  'an input that is not UTF-8': {
    where: () => '-',
    input: () => Buffer.from([0x46, 0xe9, 0x0a]),
    code: 'INVALID',
    says: /^build standard input: it is not UTF-8 text; save it as UTF-8$/,
  },
  'a truncated archive': {
    where: () => '-',
    input: () => content('x.tar.gz').subarray(0, -40),
    code: 'INVALID',
    says: /^unpack standard input: .*the file is damaged or incomplete/,
  },
  'an archive that would write outside': {
    where: () => '-',
    input: () => outside(),
    code: 'UNSAFE',
    says: /^unpack standard input: \/?\.\.\/evil: its name leaves the root through \.\.$/,
  },
  'an archive that unpacks to too much': {
    where: () => '-',
    input: () => content('x.tar.gz'),
    more: () => ({ limits: { unpacked: 4096 } }),
    code: 'UNSAFE',
    says: /^build standard input: it would unpack to more than 4096 bytes; unpack it yourself and give the folder/,
  },
  'an archive with too many entries': {
    where: () => '-',
    input: () => content('x.tar.gz'),
    more: () => ({ limits: { entries: 2 } }),
    code: 'UNSAFE',
    says: /^build standard input: it would unpack to more than 2 entries/,
  },
  'an address without a file': {
    where: () => `${origin}/none?token=s3cret`,
    code: 'NOT_FOUND',
    says: /^fetch http:\/\/127\.0\.0\.1:\d+\/none: the server answered 404 Not Found; check the address$/,
  },
  'an address that wants a login': {
    where: () => `${origin}/closed`,
    code: 'DENIED',
    says: /^fetch http:\S+\/closed: the server answered 401 Unauthorized; give it a login, as https:/,
  },
  'an endless body': {
    where: () => `${origin}/endless`,
    more: () => ({ limits: { download: 1_000_000 } }),
    code: 'INVALID',
    says: /^fetch http:\S+\/endless: it has more than 1000000 bytes; make it smaller, or give it as a folder$/,
  },
  'an endless input': {
    where: () => '-',
    input: () => 'x'.repeat(2_000_000),
    more: () => ({ limits: { download: 1_000_000 } }),
    code: 'INVALID',
    says: /^build standard input: it has more than 1000000 bytes/,
  },
  'a body that breaks off': {
    where: () => `${origin}/broken`,
    code: 'NETWORK',
    says: /^fetch http:\S+\/broken: the connection broke before everything was there; try again$/,
  },
  'a repository that is not there': {
    where: () => `${origin}/none.git#main`,
    code: 'NOT_FOUND',
    says: /^fetch http:\S+\/none\.git#main: git says: /,
  },
}

for (const [title, { where, input, more, code, says }] of Object.entries(refused))
  test(`refuses ${title}`, async () => {
    await assert.rejects(openContext(where(), options(input?.() ?? '', more?.())), (error: BuilderError) => {
      assert.match(error.message, says)
      assert.equal(error.code, code)
      return true
    })
    assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
  })

/** GNU tar strips `..`; so this one has it put in. */
function outside(): Buffer {
  const bytes = Buffer.from(content('plain.tar'))
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at, at + 4) !== './a\0') continue
    bytes.write('../evil\0', at, 'latin1')
    bytes.fill(' ', at + 148, at + 156)
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
  }
  return bytes
}

const lost: Readonly<Record<string, { open?: () => Promise<Context>; file?: string; code: ErrorCode; says: RegExp }>> =
  {
    'a folder without one': {
      open: () => openContext(join(folder, 'tree/sub'), options()),
      code: 'NOT_FOUND',
      says: /^build \S+\/tree\/sub: it has no Containerfile: looked for Containerfile, Containerfile\.in, Dockerfile and Dockerfile\.in; name it with -f FILE$/,
    },
    'one that is a link out of the context': {
      open: () => leaving(),
      code: 'NOT_FOUND',
      says: /it has no Containerfile/,
    },
    'a file that is not there': {
      file: 'none',
      code: 'NOT_FOUND',
      says: /^build none: there is no such Containerfile: looked for it here and in the context; check its name$/,
    },
    'a file that is a folder': { file: 'sub', code: 'INVALID', says: /^build sub: it is not a file; name a file$/ },
    'a device without end': { file: '/dev/zero', code: 'INVALID', says: /^build \/dev\/zero: it has more bytes than/ },
    'standard input for both': {
      open: () => openContext('-', options(content('plain.tar'))),
      file: '-',
      code: 'USAGE',
      says: /^build standard input: it cannot be the context and the Containerfile at once/,
    },
    'an address that is gone': { file: 'ORIGIN/none', code: 'NOT_FOUND', says: /the server answered 404/ },
  }

async function leaving(): Promise<Context> {
  const place = tempDir({ after })
  writeFileSync(join(folder, 'secret'), 'FROM secret\n')
  symlinkSync(join(folder, 'secret'), join(place, 'Containerfile'))
  return openContext(place, options())
}

for (const [title, { open, file, code, says }] of Object.entries(lost))
  test(`finds no Containerfile: ${title}`, async () => {
    await using context = await (open?.() ?? openContext(join(folder, 'tree'), options()))
    await assert.rejects(
      findContainerfile(context, file?.replace('ORIGIN', origin), options()),
      (error: BuilderError) => {
        assert.match(error.message, says)
        assert.equal(error.code, code)
        return true
      },
    )
  })

test('a server that keeps silent is waited for until the signal', async () => {
  const stop = new AbortController()
  const silent = new Readable({ read: () => stop.abort() })
  await assert.rejects(openContext('-', { store, stdin: () => silent, signal: stop.signal }), { code: 'ABORTED' })
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

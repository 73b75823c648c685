import assert from 'node:assert/strict'
import {
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type BuildOptions, build } from '../../sdk/index.js'
import { builder, command, lane, type Ran, tempDir } from '../lane.js'
import { places } from '../sdk/rooted.js'
import { type GitServer, serveGit } from '../transport/git-server.js'

const folder = tempDir({ after })
let git: GitServer
let server: Server
let origin = ''

before(async () => {
  put('tree/Containerfile', 'FROM scratch\nCOPY a dir /\n')
  put('tree/other.cf', 'FROM scratch\nCOPY dir/d /only\n')
  put('tree/a', 'a')
  put('tree/dir/d', 'd')
  put('site/index', 'site\n')
  await shell('tar -czf tree.tar.gz -C tree . && tar -cf site.tar -C site .')
  await shell(
    `git init -q -b main repo && cp -r tree/. repo && cd repo && git add . &&
    git -c user.name=A -c user.email=a@b commit -qm one && git checkout -q -b two && echo 2 >a && mkdir sub && cp -r ../site/. sub &&
    printf 'FROM scratch\\nCOPY index /\\n' >sub/Containerfile && git add . && git -c user.name=A -c user.email=a@b commit -qm two &&
    git clone -q --bare . ../repo.git`,
  )
  git = await serveGit(folder)
  server = createServer((request, response) => {
    if (request.url === '/tree.tar.gz') return response.end(readFileSync(join(folder, 'tree.tar.gz')))
    if (request.url === '/one.cf') return response.end(readFileSync(join(folder, 'tree/other.cf')))
    return response.writeHead(404).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await git[Symbol.asyncDispose]()
})

function put(name: string, content: string): void {
  mkdirSync(join(folder, name, '..'), { recursive: true })
  writeFileSync(join(folder, name), content)
}

async function shell(line: string): Promise<void> {
  const { code, stderr } = await command(['sh', '-ec', line], { cwd: folder })
  assert.equal(code, 0, stderr)
}

let number = 0

/** Builds, and gives what the image holds. */
async function built(context: string, options: BuildOptions = {}): Promise<Readonly<Record<string, string>>> {
  const out = join(folder, `out${++number}`)
  await build(context, { ...places, quiet: true, output: [out], ...options })
  const names = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    names.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [path.slice(out.length), readFileSync(path, 'utf8').trim()]
    }),
  )
}

const whole = { '/a': 'a', '/d': 'd' }
const rows: Readonly<
  Record<string, { context: () => string; options?: () => BuildOptions; gives: Readonly<Record<string, string>> }>
> = {
  'a folder': { context: () => join(folder, 'tree'), gives: whole },
  'an archive': { context: () => join(folder, 'tree.tar.gz'), gives: whole },
  'an archive by address': { context: () => `${origin}/tree.tar.gz`, gives: whole },
  'a repository': { context: () => `${git.origin}/repo.git#main`, gives: whole },
  'a ref and a folder of a repository': {
    context: () => `${git.origin}/repo.git#two:sub`,
    gives: { '/index': 'site' },
  },
  'a repository on this machine': { context: () => `file://${folder}/repo.git#two`, gives: { '/a': '2', '/d': 'd' } },
  'a Containerfile from elsewhere': {
    context: () => join(folder, 'tree'),
    options: () => ({ file: `${origin}/one.cf` }),
    gives: { '/only': 'd' },
  },
  'a Containerfile in an archive': {
    context: () => join(folder, 'tree.tar.gz'),
    options: () => ({ file: 'other.cf' }),
    gives: { '/only': 'd' },
  },
  'named contexts: a folder, an archive, a repository and an address': {
    context: () => join(folder, 'tree'),
    options: () => ({
      file: containerfile(
        'FROM scratch',
        'COPY --from=folder index /f',
        'COPY --from=archive index /t',
        'COPY --from=repository sub/index /g',
        'COPY --from=address a /u',
      ),
      buildContext: [
        `folder=${folder}/site`,
        `archive=${folder}/site.tar`,
        `repository=${git.origin}/repo.git#two`,
        `address=${origin}/tree.tar.gz`,
        `unused=${origin}/none`,
      ],
    }),
    gives: { '/f': 'site', '/t': 'site', '/g': 'site', '/u': 'a' },
  },
  'a named context in place of a stage and of an image': {
    context: () => join(folder, 'tree'),
    options: () => ({
      file: containerfile(
        'FROM scratch AS stage',
        'COPY a /',
        'FROM scratch',
        'COPY --from=stage index /1',
        'COPY --from=docker.io/library/never:latest index /2',
      ),
      buildContext: [`stage=${folder}/site`, `never=${folder}/site`],
    }),
    gives: { '/1': 'site', '/2': 'site' },
  },
  'ADD from a repository': {
    context: () => join(folder, 'tree'),
    options: () => ({
      file: containerfile(
        'FROM scratch',
        `ADD ${git.origin}/repo.git#two:sub /g/`,
        `ADD ${git.origin}/repo.git?ref=main /m`,
      ),
    }),
    gives: {
      '/g/index': 'site',
      '/g/Containerfile': 'FROM scratch\nCOPY index /',
      '/m/a': 'a',
      '/m/dir/d': 'd',
      '/m/Containerfile': 'FROM scratch\nCOPY a dir /',
      '/m/other.cf': 'FROM scratch\nCOPY dir/d /only',
    },
  },
}

for (const [title, { context, options, gives }] of Object.entries(rows))
  test(`builds from ${title}`, async () => {
    assert.deepEqual(await built(context(), options?.()), gives)
    assert.deepEqual(readdirSync(join(places.root, 'tmp')), [])
  })

function containerfile(...lines: readonly string[]): string {
  const path = join(folder, `cf${++number}`)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

test('ADD of a repository is taken from the cache until its ref is at another commit', async () => {
  await shell('git clone -q --bare repo.git moving.git')
  const file = containerfile('FROM scratch', `ADD ${git.origin}/moving.git#moved /`)
  const told = async () => {
    const states: string[] = []
    const onEvent: BuildOptions['onEvent'] = (event) => {
      if (event.type === 'step-end') states.push(event.state)
    }
    await build(join(folder, 'tree'), { ...places, quiet: true, file, onEvent })
    return states.at(-1)
  }
  await shell('git -C moving.git branch -f moved main')
  assert.deepEqual([await told(), await told()], ['done', 'hit'])
  await shell('git -C moving.git branch -f moved two')
  assert.deepEqual([await told(), await told()], ['done', 'hit'])
})

test('ADD checks the commit of a repository, and keeps .git when it is asked to', async () => {
  const commit = (await command(['git', 'rev-parse', 'two'], { cwd: join(folder, 'repo') })).stdout.trim()
  const out = join(folder, 'kept')
  const add = (sum: string) => `ADD --keep-git-dir --checksum=${sum} ${git.origin}/repo.git#two /k`
  const options = { ...places, quiet: true, output: [out] }
  await build(join(folder, 'tree'), { ...options, file: containerfile('FROM scratch', add(commit)) })
  assert.equal(
    (
      await command(['git', '-c', 'safe.directory=*', 'log', '-1', '--format=%H'], { cwd: join(out, 'k') })
    ).stdout.trim(),
    commit,
  )
  const wrong = { ...options, file: containerfile('FROM scratch', add('0'.repeat(40))) }
  await assert.rejects(build(join(folder, 'tree'), wrong), {
    code: 'DIGEST',
    message: /:2: fetch http:\S+#two: it is commit [0-9a-f]{40}, not 0{40}; check where it comes from, or the checksum/,
  })
})

test('RUN --mount takes files of named contexts, wherever those are', async () => {
  put('box/bin/x', 'x')
  await shell('cp /bin/busybox box/bin/sh')
  const lines = [
    'FROM scratch',
    'COPY --from=box bin/sh /bin/sh',
    'RUN --mount=type=bind,from=site,target=/m read -r x </m/index; echo "$x" >/got',
  ]
  const file = containerfile(...lines)
  const here = process.cwd()
  process.chdir(folder)
  try {
    for (const site of ['site', 'site.tar']) {
      const out = join(folder, `mounted-${site}`)
      await build('tree', { ...places, quiet: true, file, buildContext: ['box=box', `site=${site}`], output: [out] })
      assert.equal(readFileSync(join(out, 'got'), 'utf8'), 'site\n')
    }
  } finally {
    process.chdir(here)
  }
})

test('an image, and a layout of one, are named contexts', async () => {
  await build(join(folder, 'tree'), {
    ...places,
    quiet: true,
    tag: ['base'],
    output: [`type=oci,tar=false,dest=${folder}/layout`],
  })
  const { manifests } = JSON.parse(readFileSync(join(folder, 'layout/index.json'), 'utf8'))
  const file = containerfile('FROM other', 'COPY --from=one a /1', 'COPY --from=two a /2', 'COPY --from=three a /3')
  const buildContext = [
    'other=docker-image://localhost/base',
    `one=oci-layout://${folder}/layout:latest`,
    `two=oci-layout://${folder}/layout@${manifests[0].digest}`,
    `three=oci:${folder}/layout`,
  ]
  const gives = { ...whole, '/1': 'a', '/2': 'a', '/3': 'a' }
  assert.deepEqual(await built(join(folder, 'site'), { file, buildContext }), gives)
})

/** The command itself, in the tree, with something on standard input. */
function launch(
  words: readonly string[],
  input?: string | Uint8Array,
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const all = ['--root', places.root, '--runroot', places.runroot, 'build', '-q', ...words]
  return builder(all, { cwd: join(folder, 'tree'), env, ...(input === undefined ? {} : { input }) })
}

for (const [title, words, input] of [
  ['an archive as the context', ['-'], () => readFileSync(join(folder, 'tree.tar.gz'))],
  ['a Containerfile alone', ['--build-context=x=.', '-'], () => 'FROM scratch\nCOPY --from=x a dir /\n'],
  ['a Containerfile for a folder', ['-f', '-', '.'], () => 'FROM scratch\nCOPY a dir /\n'],
] as const)
  test(`standard input is ${title}`, async () => {
    const out = join(folder, `${++number}.tar`)
    const { stdout, stderr, code } = await launch(['-o', `type=tar,dest=${out}`, ...words], input())
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^[0-9a-f]{64}\n$/)
    assert.equal((await command(['tar', '-tf', out])).stdout, 'a\nd\n')
  })

test('in a session standard input and standard output are the caller’s', async () => {
  const line =
    'printf "FROM scratch\\nCOPY a /\\n" | builder build -q -f - . && tar -c . | builder build -q -o - - | tar -t'
  const words = ['--root', places.root, '--runroot', places.runroot, 'unshare', 'sh', '-c', line]
  const { stdout, stderr, code } = await builder(words, {
    cwd: join(folder, 'tree'),
    env: { BUILDER_ROOT: places.root },
  })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^[0-9a-f]{64}\na\nd\n$/)
})

const refused: Readonly<
  Record<string, { words: () => readonly string[]; input?: () => string | Uint8Array; says: RegExp }>
> = {
  'a context that is not there': {
    words: () => ['nowhere'],
    says: /^builder: build nowhere: there is no such folder; name a folder, an archive, - for standard input/,
  },
  'a context without a Containerfile': {
    words: () => [join(folder, 'site')],
    says: /^builder: build \S+\/site: it has no Containerfile: looked for Containerfile, Containerfile\.in, Dockerfile and/,
  },
  'an archive with ../ on standard input': {
    words: () => ['-'],
    input: () => evil(),
    says: /^builder: unpack standard input: \.\.\/evil: its name leaves the root through \.\.$/m,
  },
  'an archive bomb': {
    words: () => [join(folder, 'bomb.tar.gz')],
    says: /^builder: build \/\S+bomb\.tar\.gz: it would unpack to more than \d+ bytes; unpack it yourself and give the folder, if/,
  },
  'a ref that is not there': {
    words: () => [`${git.origin}/repo.git#gone`],
    says: /^builder: fetch http:\S+#gone: the repository has no branch, tag or commit gone; check its name/,
  },
  'an address that is gone': {
    words: () => [`${origin}/gone.tar`],
    says: /^builder: fetch http:\S+\/gone\.tar: the server answered 404 Not Found; check the address$/m,
  },
  'a context that COPY needs and nobody gave': {
    words: () => ['-'],
    input: () => 'FROM scratch\nCOPY a /\n',
    says: /: the build has no context: it is a Containerfile alone; name the folder of the files/,
  },
  'a link that leads out of the context': {
    words: () => ['-f', containerfile('FROM scratch', 'COPY leak /'), join(folder, 'links')],
    says: /leak: (?:the link leads nowhere|no such file or folder)/,
  },
  'a named context that is none': {
    words: () => ['--build-context', 'x=target:y', join(folder, 'tree')],
    says: /^builder: read --build-context x=target:y: a target is of docker buildx bake/,
  },
  'a base image that is a context of files': {
    words: () => ['-f', containerfile('FROM site'), '--build-context', `site=${folder}/site`, join(folder, 'tree')],
    says: /:1: site: this named context is files, not an image; write FROM scratch and COPY --from=site \. \/$/m,
  },
  'an output that is none': {
    words: () => ['-o', 'type=loacl,dest=x', join(folder, 'tree')],
    says: /^builder: read --output type=loacl,dest=x: it has an unknown type loacl; did you mean local\?/,
  },
}

before(async () => {
  mkdirSync(join(folder, 'links'))
  symlinkSync('/etc/passwd', join(folder, 'links/leak'))
  // Several members of gzip are one stream.
  const zeros = gzipSync(Buffer.alloc(16 * 1024 * 1024))
  const parts = [gzipSync(header('zeros', 300 * 1024 * 1024)), ...Array.from({ length: 19 }, () => zeros)]
  writeFileSync(join(folder, 'bomb.tar.gz'), Buffer.concat(parts))
})

for (const [title, { words, input, says }] of Object.entries(refused))
  test(`refuses ${title}`, async () => {
    const { stdout, stderr, code } = await (input ? launch(words(), input()) : called(words()))
    assert.deepEqual([stdout, code], ['', 125], stderr)
    assert.match(stderr.slice(Math.max(0, stderr.indexOf('builder: '))), says)
    assert.deepEqual(readdirSync(join(places.root, 'tmp')), [])
  })

/** The same without a process of its own: the context last, before it flags and their values. */
async function called(words: readonly string[]): Promise<Ran> {
  const values = new Map<string, string>()
  for (let i = 0; i + 1 < words.length; i += 2) values.set(words[i] ?? '', words[i + 1] ?? '')
  const [file, output, named] = [values.get('-f'), values.get('-o'), values.get('--build-context')]
  const context = words.at(-1) ?? ''
  const options = {
    ...(file === undefined ? {} : { file }),
    ...(output === undefined ? {} : { output: [output] }),
    ...(named === undefined ? {} : { buildContext: [named] }),
  }
  const failure = await build(context, { ...places, quiet: true, ...options }).then(
    () => assert.fail('it did not fail'),
    (error: Error) => error.message,
  )
  return { stdout: '', stderr: `builder: ${failure}\n`, code: 125 }
}

function evil(): Buffer {
  return Buffer.concat([header('../evil', 0), Buffer.alloc(1024)])
}

/** The header of a file in a tar archive. Source: POSIX pax, "ustar Interchange Format". */
function header(name: string, size: number): Buffer {
  const bytes = Buffer.alloc(512)
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width, '0')}\0`
  const fields = [
    [0, name],
    [100, octal(0o644, 7)],
    [108, octal(0, 7)],
    [116, octal(0, 7)],
    [124, octal(size, 11)],
    [136, octal(0, 11)],
    [148, ' '.repeat(8)],
    [156, '0'],
    [257, 'ustar\x0000'],
  ] as const
  for (const [at, text] of fields) bytes.write(text, at, 'latin1')
  bytes.write(
    `${octal(
      bytes.reduce((total, byte) => total + byte, 0),
      6,
    )} `,
    148,
    'latin1',
  )
  return bytes
}

test('special files and names that are not UTF-8 in a context hold nothing up', async () => {
  const place = join(folder, 'odd')
  mkdirSync(join(place, 'sub'), { recursive: true })
  writeFileSync(Buffer.concat([Buffer.from(`${place}/sub/`), Buffer.from([0x66, 0xff])]), 'odd')
  await shell('mkfifo odd/sub/fifo odd/unused && ln -s /etc/passwd odd/sub/out && ln -s /dev/zero odd/zero')
  put('odd/Containerfile', 'FROM scratch\nCOPY sub /\n')
  const { stderr, code } = await launch(['-o', 'type=tar,dest=../odd.tar', '../odd'])
  assert.equal(code, 0, stderr)
  const listed = (await command(['tar', '-tvf', join(folder, 'odd.tar')])).stdout
  assert.match(listed, /^p.* fifo\n.* f\\377\nl.* out -> \/etc\/passwd\n$/m)
})

test('what the ignore file leaves out is never read', async () => {
  if (lane() === 'bare') return
  const place = join(folder, 'large')
  mkdirSync(join(place, 'data/deep'), { recursive: true })
  const file = openSync(join(place, 'data/huge'), 'w')
  ftruncateSync(file, 1024 ** 4)
  put('large/.containerignore', 'data\n')
  put('large/small', 'small')
  put('large/Containerfile', 'FROM scratch\nCOPY . /\n')
  await shell('mkfifo large/data/fifo')
  const gives = await built(place)
  assert.equal(gives['/small'], 'small')
  assert.equal(existsSync(join(folder, `out${number}/data`)), false)
})

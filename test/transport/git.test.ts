import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BuilderError, ErrorCode } from '../../sdk/errors.js'
import { fetchGit, type GitOptions, resolveGit } from '../../sdk/transport/git.js'
import { isGitAddress, parseGitAddress } from '../../sdk/transport/git-address.js'
import { command, tempDir } from '../lane.js'
import { type GitServer, serveGit } from './git-server.js'

const folder = tempDir({ after })
const home = tempDir({ after })
const when = 1_700_000_000
let server: GitServer
let commits: Readonly<Record<'main' | 'old' | 'branch', string>>

before(async () => {
  writeFileSync(
    join(home, '.gitconfig'),
    '[core]\nautocrlf = true\nhooksPath = /hooks\n[url "https://elsewhere/"]\ninsteadOf = http://\n',
  )
  await make('sub', ['echo sub >s', 'git add .', 'git commit -qm sub'])
  server = await serveGit(folder)
  await make('repo', [
    'mkdir -p dir/deep && echo one >file && echo deep >dir/deep/d && ln -s ../file dir/link && ln -s /nowhere out',
    'echo run >tool && chmod 755 tool && printf "* text\\n" >.gitattributes',
    'git add . && git commit -qm one && git tag -a -m v1 v1 && git tag both',
    'echo two >file && git commit -qam two',
    'echo three >three && git add . && git commit -qm three',
    'git checkout -q -b side && echo side >side && git add . && git commit -qm side && git branch both',
    'git checkout -q -b mod main',
    `git submodule --quiet add ${server.origin}/sub.git module && git commit -qm module`,
    'git checkout -q main',
  ])
  const of = async (rev: string) => (await git(['rev-parse', `${rev}^{commit}`], join(folder, 'repo'))).trim()
  commits = { main: await of('main'), old: await of('main~1'), branch: await of('side') }
})
after(() => server[Symbol.asyncDispose]())

/** A repository with a work tree, and a bare one of it. */
async function make(name: string, lines: readonly string[]): Promise<void> {
  const place = join(folder, name)
  mkdirSync(place)
  await git(['init', '-q', '-b', 'main'], place)
  const env = { GIT_COMMITTER_DATE: `${when} +0000`, GIT_AUTHOR_DATE: `${when} +0000`, ...person }
  const { code, stderr } = await command(['sh', '-ec', lines.join('\n')], { cwd: place, env })
  assert.equal(code, 0, stderr)
  await git(['clone', '-q', '--bare', place, `${place}.git`], folder)
}

const person = {
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.org',
}

async function git(words: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await command(['git', '-c', 'safe.directory=*', ...words], { cwd })
  assert.equal(code, 0, stderr)
  return stdout
}

let number = 0

async function fetched(rest: string, options: GitOptions = {}): Promise<{ path: string; commit: string }> {
  const path = join(folder, `out${++number}`)
  const { HOME } = process.env
  process.env.HOME = home
  try {
    const { commit } = await fetchGit(`${server.origin}/repo.git${rest}`, path, options)
    return { path, commit }
  } finally {
    process.env.HOME = HOME
  }
}

const forms: Readonly<Record<string, { rest: string; commit: () => string; holds: readonly string[] }>> = {
  'the HEAD': { rest: '', commit: () => commits.main, holds: ['file two', 'dir/deep/d deep'] },
  submodules: { rest: '#mod', commit: () => '', holds: ['file two', 'module/s sub'] },
  'a branch': { rest: '#side', commit: () => commits.branch, holds: ['side side'] },
  'a branch by its ref': { rest: '#refs/heads/side', commit: () => commits.branch, holds: ['side side'] },
  'an annotated tag': { rest: '#v1', commit: () => '', holds: ['file one'] },
  'a tag before a branch of its name': { rest: '#both', commit: () => '', holds: ['file one'] },
  'a branch beside a tag of its name': { rest: '?branch=both', commit: () => commits.branch, holds: ['side side'] },
  'a tag by query': { rest: '?tag=v1', commit: () => '', holds: ['file one'] },
  'a ref by query': { rest: '?ref=side', commit: () => commits.branch, holds: ['side side'] },
  'a folder of a ref': { rest: '#side:dir/deep', commit: () => commits.branch, holds: ['d deep'] },
  'a folder of the HEAD': { rest: '#:dir', commit: () => commits.main, holds: ['deep/d deep'] },
  'a folder by query': { rest: '?branch=side&subdir=dir', commit: () => commits.branch, holds: ['deep/d deep'] },
  'no submodules': { rest: '?branch=mod&submodules=false', commit: () => '', holds: ['file two'] },
}

for (const [title, { rest, commit, holds }] of Object.entries(forms))
  test(`fetches ${title}`, async () => {
    const got = await fetched(rest)
    if (commit() !== '') assert.equal(got.commit, commit())
    for (const line of holds) {
      const [name = '', content] = line.split(' ')
      assert.equal(readFileSync(join(got.path, name), 'utf8'), `${content}\n`)
    }
    assert.equal(existsSync(join(got.path, 'module/s')), rest === '#mod')
  })

test('fetches a commit, also from a server that gives only what refs name', async () => {
  assert.equal((await fetched(`#${commits.old}`)).commit, commits.old)
  await using old = await serveGit(folder, { isOld: true })
  const into = join(folder, 'from-old')
  assert.equal((await fetchGit(`${old.origin}/repo.git#${commits.old}`, into)).commit, commits.old)
  assert.equal(readFileSync(join(into, 'file'), 'utf8'), 'two\n')
})

test('the same commit gives the same names, modes and times, whatever the user’s git and umask say', async () => {
  const look = (path: string) =>
    (readdirSync(path, { recursive: true }) as string[]).sort().map((name) => {
      const { mode, mtimeMs, size } = lstatSync(join(path, name))
      return `${name} ${mode.toString(8)} ${mtimeMs} ${size}`
    })
  const first = look((await fetched('#side')).path)
  const umask = process.umask(0o077)
  try {
    assert.deepEqual(look((await fetched('#side')).path), first)
  } finally {
    process.umask(umask)
  }
  assert.ok(first.includes(`tool 100755 ${when * 1000} 4`), first.join('\n'))
  assert.ok(first.includes(`file 100644 ${when * 1000} 4`))
  assert.equal(first.filter((line) => line.startsWith('.git ')).length, 0)
})

test('.git stays when it is asked for, without address of a login and traces of the fetch', async () => {
  await using guarded = await serveGit(folder, { login: 'me:s3cret' })
  const into = join(folder, 'kept')
  const address = guarded.origin.replace('://', '://me:s3cret@')
  await fetchGit(`${address}/repo.git?tag=v1`, into, { keepGitDir: true })
  assert.equal((await git(['describe', '--tags', '--exact-match'], into)).trim(), 'v1')
  assert.equal((await git(['remote', 'get-url', 'origin'], into)).trim(), `${guarded.origin}/repo.git`)
  assert.equal((await command(['grep', '-r', 's3cret', into])).stdout, '')
  assert.equal(existsSync(join(into, '.git/logs')) || existsSync(join(into, '.git/FETCH_HEAD')), false)
})

test('a token is the password, and is sent to its server alone', async () => {
  await using guarded = await serveGit(folder, { login: 'x-access-token:t0ken' })
  await fetchGit(`${guarded.origin}/repo.git#mod`, join(folder, 'by-token'), { token: 't0ken' })
  assert.ok(guarded.requests.some(({ authorization }) => authorization !== undefined))
  assert.ok(
    server.requests.every(({ authorization }) => authorization === undefined),
    'the submodule’s server',
  )
})

test('resolves a ref without fetching it', async () => {
  assert.deepEqual(await resolveGit(`${server.origin}/repo.git#side`), { commit: commits.branch })
  assert.deepEqual(await resolveGit(`http://127.0.0.1:1/x.git#${commits.old}`), { commit: commits.old })
})

test('no hook of the repository and of the user’s templates runs', async () => {
  const template = join(home, 'template/hooks')
  mkdirSync(template, { recursive: true })
  writeFileSync(join(template, 'post-checkout'), `#!/bin/sh\ntouch ${home}/ran\n`, { mode: 0o755 })
  const { GIT_TEMPLATE_DIR } = process.env
  process.env.GIT_TEMPLATE_DIR = join(home, 'template')
  await fetched('')
  if (GIT_TEMPLATE_DIR === undefined) delete process.env.GIT_TEMPLATE_DIR
  assert.equal(existsSync(join(home, 'ran')), false)
})

test('file:// is for whoever names it, and a submodule of it is not read', async () => {
  const address = `file://${folder}/repo.git#side`
  await assert.rejects(fetchGit(address, join(folder, 'no')), {
    code: 'UNSUPPORTED',
    message: /a repository of this machine cannot be named here/,
  })
  await fetchGit(address, join(folder, 'local'), { allowsFiles: true })
  assert.equal(readFileSync(join(folder, 'local/side'), 'utf8'), 'side\n')
  await make('evil', [
    `git -c protocol.file.allow=always submodule --quiet add file://${folder}/sub.git module && git commit -qm module`,
  ])
  await assert.rejects(fetchGit(`file://${folder}/evil.git`, join(folder, 'no'), { allowsFiles: true }), {
    message: /transport 'file' not allowed/,
  })
})

const refused: Readonly<Record<string, { text: () => string; options?: GitOptions; code: ErrorCode; says: RegExp }>> = {
  'a ref that is not there': {
    text: () => `${server.origin}/repo.git#nowhere`,
    code: 'NOT_FOUND',
    says: /^fetch http:\S+\/repo\.git#nowhere: the repository has no branch, tag or commit nowhere; check its name, and that it was pushed$/,
  },
  'a commit that is not there': {
    text: () => `${server.origin}/repo.git#${'ab'.repeat(20)}`,
    code: 'NOT_FOUND',
    says: /the repository has no commit abab/,
  },
  'a ref that looks like an option': {
    text: () => `${server.origin}/repo.git#--upload-pack=touch`,
    code: 'USAGE',
    says: /"--upload-pack=touch" cannot be a branch, a tag or a commit/,
  },
  'an address that looks like an option': {
    text: () => '--upload-pack=x@host:repo',
    code: 'USAGE',
    says: /it is not the address of a git repository/,
  },
  'a host that looks like an option': {
    text: () => 'ssh://-oProxyCommand=touch/x',
    code: 'SYSTEM',
    says: /git says: (?:fatal|error)/,
  },
  'a program as transport': {
    text: () => 'ext::sh -c touch% x',
    code: 'USAGE',
    says: /it is not the address of a git repository/,
  },
  'a folder that is not there': {
    text: () => `${server.origin}/repo.git#:dir/none`,
    code: 'NOT_FOUND',
    says: /the repository has no folder dir\/none/,
  },
  'a folder outside': {
    text: () => `${server.origin}/repo.git#:../..`,
    code: 'NOT_FOUND',
    says: /the repository has no folder \.\.\/\.\./,
  },
  'a folder through a link': {
    text: () => `${server.origin}/repo.git#:out`,
    code: 'NOT_FOUND',
    says: /the repository has no folder out/,
  },
  'another commit than the checksum': {
    text: () => `${server.origin}/repo.git?branch=side&checksum=${'0'.repeat(40)}`,
    code: 'DIGEST',
    says: /it is commit [0-9a-f]{40}, not 0{40}; check where it comes from/,
  },
  'a checksum that is none': {
    text: () => `${server.origin}/repo.git?checksum=main`,
    code: 'USAGE',
    says: /"main" is not a commit/,
  },
  'an unknown query': {
    text: () => `${server.origin}/repo.git?brnch=x`,
    code: 'USAGE',
    says: /it has an unknown part brnch= behind \?; known are ref, branch/,
  },
  'a repository that is not there': {
    text: () => `${server.origin}/none.git`,
    code: 'NOT_FOUND',
    says: /git says: fatal: repository '.*none\.git\/' not found; check the address/,
  },
  'a server that is not there': {
    text: () => 'http://127.0.0.1:1/repo.git',
    code: 'NETWORK',
    says: /check the address and the network/,
  },
}

for (const [title, { text, options, code, says }] of Object.entries(refused))
  test(`refuses ${title}`, async () => {
    const into = join(folder, `refused${++number}`)
    await assert.rejects(fetchGit(text(), into, options), (error: BuilderError) => {
      assert.match(error.message, says)
      assert.equal(error.code, code)
      return true
    })
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith(`refused${number}`)),
      [],
    )
  })

test('a wrong password is in no message', async () => {
  await using guarded = await serveGit(folder, { login: 'me:right' })
  const address = guarded.origin.replace('://', '://me:wr0ng@')
  await assert.rejects(fetchGit(`${address}/repo.git`, join(folder, 'no')), (error: BuilderError) => {
    assert.doesNotMatch(JSON.stringify([error.message, error.stack]), /wr0ng/)
    assert.match(error.message, /it wants a login/)
    assert.equal(error.code, 'DENIED')
    return true
  })
})

test('a server that says nothing is waited for until the signal', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done))
  const stop = new AbortController()
  silent.once('connection', () => stop.abort())
  const { port } = silent.address() as { port: number }
  await assert.rejects(fetchGit(`http://127.0.0.1:${port}/x.git`, join(folder, 'no'), { signal: stop.signal }), {
    code: 'ABORTED',
  })
  silent.close()
})

test('without git it says what to install', async () => {
  const { PATH } = process.env
  process.env.PATH = home
  try {
    await assert.rejects(fetchGit(`${server.origin}/repo.git`, join(folder, 'no')), {
      code: 'UNSUPPORTED',
      message: /this needs git, which this machine does not have; install the package git/,
    })
  } finally {
    process.env.PATH = PATH
  }
})

test('tells addresses of repositories from other things', () => {
  const yes = [
    'https://h/x.git',
    'https://h/x.git#v1:d',
    'https://h/x.git?tag=1',
    'git@h:x/y',
    'git://h/x',
    'ssh://git@h/x',
    'github.com/a/b',
    'user@h:/abs',
  ]
  const no = [
    'https://h/x.tar.gz',
    'https://h/x.git.tar',
    './x.git',
    'x',
    'docker-image://a@sha256:00',
    'a/b@h:c',
    '-x@h:y',
  ]
  assert.deepEqual(
    yes.filter((text) => !isGitAddress(text)),
    [],
  )
  assert.deepEqual(no.filter(isGitAddress), [])
  assert.deepEqual(parseGitAddress('git@h:x/y.git#v1:d'), {
    url: 'git@h:x/y.git',
    ref: { kind: 'any', name: 'v1' },
    subdir: 'd',
  })
  assert.equal(parseGitAddress('github.com/a/b#c').url, 'https://github.com/a/b')
})

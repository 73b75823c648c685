import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BuildOptions } from '../../sdk/index.js'
import { command, needs, tempDir } from '../lane.js'
import { type BuildScene, buildScene } from './build-scene.js'

const folder = tempDir({ after })
const [token, key] = ['hunter2-hunter2', `-----BEGIN-----\n${'AbCdEf0123456789'.repeat(4)}\nzyxwvut\n-----END-----\n`]
const binary = Buffer.from(Array.from({ length: 64 }, (_, i) => (i * 37 + 128) % 256))
let scene: BuildScene
let secrets: readonly string[] = []

before(async () => {
  scene = await buildScene(folder)
  scene.write('in/a', 'aa\n')
  scene.write('in/deep/b.txt', 'b')
  scene.write('in/deep/c.log', 'c')
  for (const [name, content] of Object.entries({ token, key, binary })) writeFileSync(join(folder, name), content)
  secrets = ['token', 'key', 'binary'].map((id) => `id=${id},src=${join(folder, id)}`)
})

/** What lines of a stage on `base` give: what a command prints in the image. */
interface Row {
  readonly lines: string
  readonly options?: BuildOptions
  readonly shows: string
  readonly prints: string
}

const length = (text: string) => `${Buffer.byteLength(text)}`
const rows: Readonly<Record<string, Row>> = {
  'a secret as a file': {
    lines: 'RUN --mount=type=secret,id=token wc -c </run/secrets/token >/n; ls -d /run || true',
    shows: 'cat /n; ls -d /run 2>/dev/null || true',
    prints: length(token),
  },
  'a secret as a variable': {
    lines: 'RUN --mount=type=secret,id=key,env=KEY test "$(printf %s "$KEY" | wc -l)" = 4 && echo right >/n',
    shows: 'cat /n',
    prints: 'right',
  },
  'a secret for another user': {
    lines: 'RUN --mount=type=secret,id=token,uid=7,gid=8,mode=0440,target=/s stat -c "%u:%g %a" /s >/n',
    shows: 'cat /n',
    prints: '7:8 440',
  },
  'a writable bind of the context, which stays as it is': {
    lines: 'RUN --mount=type=bind,source=in,target=/in,rw echo more >>/in/a; cat /in/a >/n',
    shows: 'cat /n',
    prints: 'aa\nmore',
  },
  'a writable bind of a stage, which stays as it is': {
    lines:
      'RUN --mount=type=bind,from=other,source=/o,target=/o,rw echo more >>/o/f; cat /o/f >/n\nCOPY --from=other /o/f /f',
    shows: 'cat /n /f',
    prints: 'o\nmore\no',
  },
  'a cache that starts with a stage': {
    lines: 'RUN --mount=type=cache,target=/c,from=other,source=/o,id=seeded cat /c/f >/n',
    shows: 'cat /n',
    prints: 'o',
  },
  'memory at a place from the working folder': {
    lines: 'WORKDIR /w\nRUN --mount=type=tmpfs,target=t touch t/x; ls /w/t >/n',
    shows: 'cat /n; ls /w',
    prints: 'x',
  },
  'no network': { lines: 'RUN --network=none grep -c : /proc/net/dev >/n', shows: 'cat /n', prints: '1' },
  'the build’s own network': {
    lines: 'RUN --network=default grep -c : /proc/net/dev >/n',
    options: { network: 'none' },
    shows: 'cat /n',
    prints: '1',
  },
  'all rights, which were allowed': {
    lines: 'RUN --security=insecure grep -c "^Seccomp:.0" /proc/self/status >/n',
    options: { allow: ['security.insecure'] },
    shows: 'cat /n',
    prints: '1',
  },
  'a host of its own': {
    lines: 'RUN grep -c "^192.0.2.7.db$" /etc/hosts >/n',
    options: { addHost: ['db:192.0.2.7'] },
    shows: 'cat /n',
    prints: '1',
  },
  'COPY --link': {
    lines: 'RUN mkdir /real && ln -s real /l\nCOPY --link in/a /l/',
    shows: 'cat /l/a; ls /real',
    prints: 'aa',
  },
  'COPY --parents and --exclude': {
    lines: 'COPY --parents --exclude=**/*.log ./in/./deep /p/',
    shows: 'find /p | env sort 2>/dev/null || find /p',
    prints: '/p\n/p/deep\n/p/deep/b.txt',
  },
}
for (const [title, { lines, options = {}, shows, prints }] of Object.entries(rows))
  test(`RUN and COPY have ${title}`, async () => {
    const other = 'FROM base AS other\nRUN mkdir /o && echo o >/o/f\nFROM base'
    const { id } = await scene.build(`${other}\n${lines}`, { secret: secrets, ...options })
    assert.equal(await scene.inImage(id, shows), prints)
    assert.equal(readFileSync(join(scene.context, 'in/a'), 'utf8'), 'aa\n')
  })

const refused: Readonly<Record<string, readonly [lines: string, says: RegExp]>> = {
  'a secret that is required': [
    'RUN --mount=type=secret,id=none,required true',
    /the secret is required, and was not given; add --secret id=none,src=FILE/,
  ],
  'rights that were not allowed': ['RUN --security=insecure true', /add --allow security\.insecure when you trust/],
  'a mount of no type': ['RUN --mount=type=secre,id=x true', /there is no type "secre"; did you mean secret\?/],
  'an owner outside the id map': [
    'RUN --mount=type=secret,id=token,uid=4000000000 true',
    process.getuid?.() === 0 ? /./ : /outside the id map/,
  ],
  'a source with a near miss': ['COPY in/dep /x', /in\/dep: no such file or folder; did you mean in\/deep\?/],
}
for (const [title, [lines, says]] of Object.entries(refused))
  test(`a build refuses ${title}`, async () => {
    const built = scene.build(`FROM base\n${lines}`, { secret: secrets })
    if (says.source === '.') await built
    else await assert.rejects(built, says)
  })

test('a secret is in no layer, history, cache, report or log', async () => {
  const show = (id: string) =>
    `RUN --mount=type=secret,id=${id} --mount=type=secret,id=${id},dst=/s,env=${id === 'binary' ? 'X' : 'S'} cat /s; cat /run/secrets/${id} >&2; echo ${id} >/n`
  const lines = `FROM base\n${['token', 'key'].map(show).join('\n')}
RUN --mount=type=secret,id=binary cat /run/secrets/binary; : hunter2`
  const report = join(folder, 'report.html')
  const given = secrets.flatMap((secret) => ['--secret', secret])
  const ran = await scene.command(lines, ['--progress=plain', '--report', report, '-t', 'told', ...given])
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stderr, /\*\*\*/)
  const failed = await scene.command('FROM base\nRUN --mount=type=secret,id=token cat /run/secrets/token >&2; exit 3', [
    '--progress=json',
    ...given,
  ])
  assert.equal(failed.code, 3, failed.stderr)
  const said = [ran.stdout, ran.stderr, failed.stdout, failed.stderr, readFileSync(report, 'utf8')].join('\n')
  const base64 = Buffer.from(token).toString('base64').slice(0, 16)
  for (const part of [token, base64, 'zyxwvut', 'AbCdEf0123456789'.repeat(4)]) assert.ok(!said.includes(part), part)
  writeFileSync(join(folder, 'sought'), [token, base64, 'AbCdEf0123456789AbCdEf', ''].join('\n'))
  const { stdout } = await command(['grep', '-rlaF', '-f', join(folder, 'sought'), scene.store])
  assert.equal(stdout, '')
  for (const path of filesOf(scene.store)) assert.ok(!readFileSync(path).includes(binary), path)
})

test('a cached step asks for no secret, and another value of it is no other step', async () => {
  const lines = 'FROM base\nRUN --mount=type=secret,id=token wc -c </run/secrets/token >/cached'
  const first = await scene.build(lines, { secret: secrets })
  writeFileSync(join(folder, 'other'), 'another value')
  const second = await scene.build(lines, { secret: [`id=token,src=${join(folder, 'other')}`] })
  assert.equal(second.id, first.id)
})

test('RUN --mount=type=ssh has the keys of --ssh', async (t) => {
  if (!needs(t, 'ssh-agent', 'ssh-keygen')) return
  const made = await command(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'id')])
  assert.equal(made.code, 0, made.stderr)
  const lines = 'FROM base\nRUN --mount=type=ssh,required test -S "$SSH_AUTH_SOCK" && echo "$SSH_AUTH_SOCK" >/n'
  const { id } = await scene.build(lines, { ssh: [`default=${join(folder, 'id')}`] })
  assert.equal(await scene.inImage(id, 'cat /n; ls -d /run 2>/dev/null || true'), '/run/buildkit/ssh_agent.0')
})

test('nothing of the runs is left', () => {
  assert.deepEqual(readdirSync(join(scene.places.root, 'tmp')), [])
  const left = readdirSync(scene.places.runroot, { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    left.filter((name) => /(^|\/)runs\//.test(name)),
    [],
  )
})

/** Those that this user may read. */
function filesOf(top: string): string[] {
  const all = readdirSync(top, { recursive: true, withFileTypes: true })
  return all
    .filter((one) => one.isFile())
    .map((one) => join(one.path, one.name))
    .filter((path) => /cache|blobs|index|containers/.test(path) && isReadable(path))
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}

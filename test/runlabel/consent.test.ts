import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext, test } from 'node:test'
import { quoteWord } from '../../sdk/image/words.js'
import { runlabel } from '../../sdk/index.js'
import { inSession, launcher, limit } from '../bin/in-session.js'
import { builder, command, needs, tempDir } from '../lane.js'
import { onTerminal } from '../verbs/terminal.js'
import { labelled, without } from './labelled.js'

/** An image whose label makes a canary, and a line of shell that executes it. */
async function canaryScene(t: TestContext) {
  const place = tempDir(t)
  const canary = join(place, 'canary')
  const { store } = await labelled(t, { run: `sh -c 'echo "$NAME" >${canary}; exit 7'` })
  const words = [launcher, '--root', join(store, 'root'), '--runroot', join(store, 'run'), 'runlabel', 'web']
  const config = without(store).XDG_CONFIG_HOME as string
  return { canary, store, line: `XDG_CONFIG_HOME=${quoteWord(config)} ${words.map(quoteWord).join(' ')}` }
}

describe('at a terminal', limit, () => {
  const answers: readonly (readonly [title: string, keys: readonly string[], executes: boolean, after: RegExp])[] = [
    ["y executes it, and its exit code is the verb's", ['y', 'Enter'], true, /exit=7/],
    ['n does not', ['n', 'Enter'], false, /the answer was not y[\s\S]*exit=125/],
    ['nor does Enter alone', ['Enter'], false, /the answer was not y[\s\S]*exit=125/],
    ['nor does another word', ['y', 'o', 'Enter'], false, /the answer was not y[\s\S]*exit=125/],
    ['nor does the end of input', ['C-d'], false, /no answer was given[\s\S]*exit=125/],
  ]
  for (const [title, keys, executes, after] of answers)
    it(title, async (t) => {
      if (!needs(t, 'tmux')) return
      const { canary, line } = await canaryScene(t)
      const terminal = await onTerminal(t, line, { columns: 200, rows: 20 })
      const shown = (await terminal.until(/Execute it\? \[y\/N\]/)).join('\n')
      assert.match(shown, /It asks for:\n(.*\n)? +- a program on the host, in no container: \S+/)
      assert.ok(!existsSync(canary), 'nothing runs before the answer')
      await terminal.press(...keys)
      await terminal.until(after)
      assert.equal(existsSync(canary), executes)
    })

  it('a y typed before the question does not count', async (t) => {
    if (!needs(t, 'tmux')) return
    const { canary, line, store } = await canaryScene(t)
    const go = join(store, 'go')
    await command(['mkfifo', go])
    const terminal = await onTerminal(t, `echo ready; read -r _ <${go}; ${line}`, { columns: 200, rows: 20 })
    await terminal.until(/^ready/m)
    await terminal.press('y', 'Enter')
    writeFileSync(go, 'go\n')
    await terminal.until(/Execute it\? \[y\/N\]/)
    await terminal.press('n', 'Enter')
    await terminal.until(/the answer was not y[\s\S]*exit=125/)
    assert.ok(!existsSync(canary))
  })

  for (const [title, around] of [
    ['a y from a pipe does not count', (line: string) => `yes | { ${line}; }`],
    ['nor does one where nobody saw the question', (line: string) => `${line} 2>/dev/null`],
  ] as const)
    it(title, async (t) => {
      if (!needs(t, 'tmux')) return
      const { canary, line, store } = await canaryScene(t)
      const terminal = await onTerminal(t, around(line), { columns: 200, rows: 20 })
      await terminal.until(/exit=125/)
      assert.ok(!existsSync(canary))
      assert.match(readFileSync(join(store, 'root/runlabel.log'), 'utf8'), /"why":"there is no terminal to ask at"/)
    })
})

test('the image that was judged is the one that runs, also when its name moves meanwhile', limit, async (t) => {
  if (!needs(t, 'tmux')) return
  const store = tempDir(t)
  const say = async (...words: readonly string[]) => {
    const ran = await builder(words, { store })
    assert.equal(ran.code, 0, ran.stderr)
    return ran.stdout.trim()
  }
  await say('from', '--name', 'c', 'scratch')
  await say('copy', '-q', '--closure', 'c', '/usr/bin/cat')
  for (const who of ['good', 'evil']) {
    writeFileSync(join(store, 'who'), `${who}\n`)
    await say('copy', '-q', 'c', join(store, 'who'), '/who')
    await say('config', '--label', 'run=podman run --rm --net=none IMAGE cat /who', 'c')
    await say('commit', 'c', who)
  }
  await say('tag', 'good', 'web')
  const places = ['--root', join(store, 'root'), '--runroot', join(store, 'run')]
  const line = ['env', `XDG_CONFIG_HOME=${store}`, launcher, ...places, 'runlabel', 'web'].map(quoteWord).join(' ')
  const terminal = await onTerminal(t, line, { columns: 200 })
  await terminal.until(/Execute it\?/)
  await say('tag', 'evil', 'web')
  await terminal.press('y', 'Enter')
  const shown = (await terminal.until(/exit=/)).join('\n')
  assert.match(shown, /^good$/m)
  assert.doesNotMatch(shown, /^evil$/m)
})

describe('whoever executes it', () => {
  it('a session gives its exit code and its streams', async (t) => {
    const { store } = await labelled(t, { run: "sh -c 'cat; exit 3'" })
    const ran = await inSession(t, 'echo in | $B runlabel --yes web; echo "$?"', { store, env: without(store) })
    assert.equal(ran.stdout, 'in\n3\n', ran.stderr)
  })

  it('--engine takes the first podman of the PATH, auto the one that the label names, the default neither', async (t) => {
    const { store, digest } = await labelled(t, { run: '/label/own/podman run IMAGE x', other: 'docker run IMAGE' })
    const bin = join(tempDir(t), 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'podman'), '#!/bin/sh\necho "podman of the user: $*"\n', { mode: 0o755 })
    const env = { ...without(store), PATH: `${bin}:${process.env.PATH}` }
    const said = async (...flags: readonly string[]) =>
      (await builder(['runlabel', ...flags, 'run', 'web'], { store, env })).stdout
    const line = `podman of the user: run localhost/web@${digest} x\n`
    assert.equal(await said('--yes', '--engine', 'podman'), line)
    assert.equal(await said('--yes', '--engine', 'auto'), line)
    assert.match(
      await said('--display'),
      /bin\/builder --root=\S+ --runroot=\S+ run-image --pull=never -- localhost\/web@sha256:\S+ x\n$/,
    )
  })
})

describe('runlabel() in TypeScript', () => {
  it('tells what it would do, does it, and throws what nobody allowed', async (t) => {
    const { store, digest } = await labelled(t, { Run: 'sh -c "exit 5"', net: 'podman run --net=host IMAGE' })
    const options = { root: join(store, 'root'), runroot: join(store, 'run') }
    const config = process.env.XDG_CONFIG_HOME
    process.env.XDG_CONFIG_HOME = without(store).XDG_CONFIG_HOME
    t.after(() => {
      if (config === undefined) delete process.env.XDG_CONFIG_HOME
      else process.env.XDG_CONFIG_HOME = config
    })
    const told = await runlabel('net', 'web', [], { ...options, dryRun: 'json', name: 'x' })
    assert.equal(told.executed, false)
    assert.equal(told.image.digest, digest)
    assert.ok(told.asks.some(({ kind }) => kind === 'host-network'))
    assert.equal(told.environment.NAME, 'x')
    assert.equal(told.decision.verdict, 'ask')
    const done = await runlabel('run', 'web', [], { ...options, yes: true })
    assert.deepEqual([done.executed, done.exitCode, done.label], [true, 5, 'Run'])
    await assert.rejects(runlabel(undefined, 'web', [], options), { code: 'DENIED' })
    await assert.rejects(runlabel('no', 'web', [], options), { code: 'NOT_FOUND' })
  })
})

test('a decision goes into the journal where there is one', limit, async (t) => {
  if (!needs(t, 'logger', 'python3', 'unshare')) return
  const place = tempDir(t)
  const { store, digest } = await labelled(t, { run: `touch ${place}/canary "${place}/a b"` })
  const receive = [
    'import socket, sys',
    's = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)',
    "s.bind('/run/systemd/journal/socket')",
    "open(sys.argv[1] + '/ready', 'w').close()",
    "open(sys.argv[1] + '/entry', 'wb').write(s.recv(65536))",
  ].join('\n')
  const script = `set -e
    mount -t tmpfs none /run
    mkdir -p /run/systemd/journal
    python3 -c '${receive.replaceAll("'", '"')}' ${place} &
    until [ -e ${place}/ready ]; do sleep 0.05; done
    ${launcher} --root ${store}/root --runroot ${store}/run runlabel --yes web
    wait
    # Nobody listens any more: then it is the file.
    ${launcher} --root ${store}/root --runroot ${store}/run runlabel --yes web`
  const ran = await command(['unshare', process.getuid?.() === 0 ? '-m' : '-Urm', 'sh', '-c', script], {
    env: without(store),
  })
  assert.equal(ran.code, 0, ran.stderr)
  const entry = readFileSync(join(place, 'entry'), 'utf8')
  const fields = Object.fromEntries(
    entry.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
  )
  assert.equal(fields.BUILDER_VERDICT, 'executed')
  assert.equal(fields.BUILDER_WHY, '--yes')
  assert.equal(fields.BUILDER_DIGEST, digest)
  assert.equal(fields.SYSLOG_IDENTIFIER, 'builder')
  assert.deepEqual(JSON.parse(fields.BUILDER_ARGV ?? '').slice(1), [`${place}/canary`, `${place}/a b`])
  const lines = readFileSync(join(store, 'root/runlabel.log'), 'utf8').trim().split('\n')
  assert.equal(lines.length, 1)
  assert.equal(JSON.parse(lines[0] ?? '').why, '--yes')
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { builder, command, needs, tempDir } from '../lane.js'
import { eventually, furnished, inSession, isRunning, launcher } from './in-session.js'

/** The folder of sessions in a store of a test. */
function sessionsOf(store: string): string[] {
  const folder = join(store, 'run/sessions')
  return existsSync(folder) ? readdirSync(folder) : []
}

test('the engine ends with the script, and its folder goes', async (t) => {
  const store = tempDir(t)
  const ran = await inSession(t, 'echo "$BUILDER_SESSION"; $B version >/dev/null; exit 7', { store })
  assert.equal(ran.code, 7)
  const pid = Number(ran.stdout.trim().split('/').at(-1))
  await eventually(async () => !(await isRunning(pid)), 'the engine')
  assert.deepEqual(sessionsOf(store), [])
})

test('the folder is private, whatever the umask', async (t) => {
  const script = 'ls -ld "$BUILDER_SESSION" | cut -c1-10; ls -l "$BUILDER_SESSION" | grep -c "^prw-------"'
  const store = tempDir(t)
  const ran = await command([
    'sh',
    '-c',
    `umask 000; exec "$0" --runroot ${store}/run unshare sh -c '${script}'`,
    launcher,
  ])
  assert.match(ran.stdout, /^drwx------\n\d+\n$/)
  assert.equal(statSync(join(store, 'run/sessions')).mode & 0o077, 0)
})

for (const victim of ['script', 'engine'] as const) {
  test(`kill -9 of the ${victim}: nothing is left, and the store is whole`, async (t) => {
    const store = await furnished(t)
    const places = ['--root', join(store, 'root'), '--runroot', join(store, 'run')]
    const script = 'echo "$$ $(basename "$BUILDER_SESSION")"; $B run c -- sleep 1000; echo after'
    const child = spawn(launcher, [...places, 'unshare', 'sh', '-c', script], {
      env: { ...process.env, B: launcher },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = await new Promise<string>((resolve) => child.stdout.once('data', (text) => resolve(String(text))))
    const [shell = 0, engine = 0] = said.split(' ').map(Number)
    const runs = join(store, 'run')
    await eventually(async () => (await command(['grep', '-rlE', '"sleep"', runs])).stdout !== '', 'the command')
    process.kill(victim === 'script' ? shell : engine, 'SIGKILL')
    await eventually(async () => !(await isRunning(engine)), 'the engine')
    if (victim === 'script') await eventually(() => sessionsOf(store).length === 0, 'the folder')
    else child.kill('SIGKILL')
    // The next verb tidies up after an engine that could not.
    assert.equal((await builder(['rm', 'c'], { store })).code, 0)
    await eventually(async () => (await command(['pgrep', '-f', store])).stdout === '', 'the processes')
    assert.equal((await builder(['check'], { store })).code, 0)
  })
}

test('after the engine was killed the script goes on, without it', async (t) => {
  const script =
    'kill -9 "$(basename "$BUILDER_SESSION")"; sleep 0.1; unset BUILDER_MAIN; "$B" from scratch && "$B" containers -q | wc -l'
  const ran = await inSession(t, script)
  assert.deepEqual([ran.stdout, ran.code], ['working-container\n1\n', 0])
})

test('a session in a session has the same engine', async (t) => {
  const script =
    'echo "$BUILDER_SESSION"; "$B" unshare sh -c \'echo "$BUILDER_SESSION"; exit 3\'; echo $?; eval "$("$B" session)"; echo "$BUILDER_SESSION"'
  const [first, second, code, third] = (await inSession(t, script)).stdout.split('\n')
  assert.deepEqual([second, code, third], [first, '3', first])
})

test('subshells, pipes, command substitution and background verbs', async (t) => {
  const store = await furnished(t)
  const script = `set -e
    ( cd /; "$B" run c -- sh -c 'echo sub' )
    echo "$("$B" inspect --format '{{.ContainerID}}' "$("$B" from --name d scratch)" | cut -c1-3)" | grep -c '^...$'
    "$B" run c -- sh -c 'sleep 0.3; echo one' & "$B" run c -- sh -c 'sleep 0.1; echo two' & wait
    "$B" containers -q | while read -r id; do "$B" inspect --format '{{.ContainerID}}' "$id"; done | wc -l`
  const ran = await inSession(t, script, { store })
  assert.deepEqual(ran, { stdout: 'sub\n1\ntwo\none\n2\n', stderr: '', code: 0 })
})

test('a verb that fails stops a script under set -e, with its message', async (t) => {
  const ran = await inSession(t, 'set -e; "$B" run nothing -- true; echo never')
  assert.deepEqual([ran.stdout, ran.code], ['', 125])
  assert.match(ran.stderr, /^builder: run nothing: there is no such container; .*\n$/)
})

test('two hundred launchers at once', async (t) => {
  const script = `"$B" from --name c scratch >/dev/null
    i=0; while [ $i -lt 200 ]; do i=$((i + 1)); "$B" inspect --format "$i {{.Container}}" c & done; wait`
  const ran = await inSession(t, script)
  assert.equal(ran.stderr, '')
  const numbers = ran.stdout
    .trim()
    .split('\n')
    .map((line) => Number(/^(\d+) c$/.exec(line)?.[1]))
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    Array.from({ length: 200 }, (_, i) => i + 1),
  )
})

test('a prompt gets a session that ends with its shell', async (t) => {
  const store = tempDir(t)
  const script = `eval "$("$B" session)"; echo "$BUILDER_SESSION"; export BUILDER_MAIN=/nowhere/main.js
    c=$("$B" from scratch); m=$("$B" mount "$c"); echo x >"$m/f"; cat "$m/f"; "$B" umount "$c" >/dev/null
    "$B" images; cd /; echo "$("$B" containers -q | wc -l)"`
  for (const shell of ['dash', 'bash']) {
    if (!needs(t, shell)) return
    const env = { B: launcher, BUILDER_ROOT: join(store, shell), BUILDER_RUNROOT: join(store, 'run') }
    const ran = await command([shell, '-c', script], { env })
    const [folder = '', content, ...rest] = ran.stdout.split('\n')
    assert.equal(content, 'x', ran.stderr)
    assert.equal(rest.at(-2), '1')
    const pid = Number(folder.split('/').at(-1))
    await eventually(async () => !(await isRunning(pid)), 'the engine')
    assert.equal(existsSync(folder), false)
    assert.equal(existsSync(join(store, 'run/holder')), false)
  }
})

test('a recipe is a script with a session, also by its first line', async (t) => {
  const store = tempDir(t)
  const file = join(store, 'one recipe')
  writeFileSync(
    file,
    `#!/usr/bin/env -S ${launcher} recipe\nset -eu\necho "$0 $#: $1|$2"; ls "$BUILDER_SESSION/engine" >/dev/null; exit 4\n`,
  )
  chmodSync(file, 0o755)
  const env = { BUILDER_ROOT: join(store, 'root'), BUILDER_RUNROOT: join(store, 'run') }
  const expected = { stdout: `${file} 2: a b|-x\n`, stderr: '', code: 4 }
  assert.deepEqual(await command([file, 'a b', '-x'], { env }), expected)
  assert.deepEqual(await command([launcher, 'recipe', file, 'a b', '-x'], { env }), expected)
})

const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['a missing recipe', ['recipe', '/nowhere/x'], /^builder: recipe \/nowhere\/x: .*(does not exist|no such file)/i],
  ['a folder', ['recipe', '/'], /^builder: recipe \/: it is not a file/],
  [
    'no shell',
    ['recipe', '--shell', 'nosh', '/etc/hostname'],
    /^builder: recipe nosh: it cannot be started; check its name/,
  ],
  ['no program', ['unshare', 'nope'], /^builder: unshare nope: it cannot be started; check its name/],
  ['no session outside', ['session', 'x'], /^builder: session x: one argument too many/],
]
test('a recipe is read by the shell that its first line names', async (t) => {
  if (!needs(t, 'bash')) return
  const folder = tempDir(t)
  const script = join(folder, 'recipe')
  for (const [line, shell, stops] of [
    ['#!/usr/bin/env bash', 'bash', false],
    ['#!/bin/bash -e', 'bash', true],
    ['#!/bin/sh', 'sh', false],
    ['#!/usr/bin/env -S builder recipe', 'sh', false],
    ['', 'sh', false],
  ] as const) {
    writeFileSync(script, `${line}\nread -r shell </proc/$$/comm; echo "$shell $-"\n`)
    const { stdout, stderr } = await builder(['recipe', script], { store: join(folder, 'store') })
    const [name, flags = ''] = stdout.trim().split(' ')
    assert.deepEqual([name, flags.includes('e')], [shell, stops], `${line}: ${stderr}`)
  }
})

test('what cannot be begun is said', async (t) => {
  const store = tempDir(t)
  for (const [name, words, message] of refused) {
    const ran = await builder(words, { store })
    assert.equal(ran.code, 125, name)
    assert.match(ran.stderr, message, name)
    await eventually(() => sessionsOf(store).length === 0, name)
  }
})

test('a recipe that is none is refused before a shell takes it for commands', async (t) => {
  const store = tempDir(t)
  const files = { program: '\x7fELF\x00\x01', windows: '#!/bin/sh\r\nexit 0\r\n' }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(store, name), text, 'latin1')
  const program = await builder(['recipe', join(store, 'program')], { store })
  assert.match(program.stderr, /^builder: recipe .*program: it is a program, not a script; run .* builder unshare/)
  const windows = await builder(['recipe', join(store, 'windows')], { store })
  assert.match(windows.stderr, /^builder: recipe .*windows: its lines end with CR LF.*sed -i 's\/\\r\$\/\/'/)
  assert.deepEqual([program.code, windows.code], [125, 125])
})

test('a recipe finds builder where PATH has only what the system has, as under cron', async (t) => {
  const store = tempDir(t)
  const file = join(store, 'recipe.sh')
  writeFileSync(file, 'builder from --name c scratch\n')
  const roots = ['--root', join(store, 'root'), '--runroot', join(store, 'run')]
  const plain = ['env', '-i', 'PATH=/usr/bin:/bin', launcher, ...roots, 'recipe', file]
  assert.deepEqual(await command(plain), { stdout: 'c\n', stderr: '', code: 0 })
})

test('a session with few descriptors has fewer places, and none at all is said without a stack', async (t) => {
  const store = tempDir(t)
  const lines = (n: number) =>
    `ulimit -n ${n}; exec "$B" unshare sh -c 'for i in 1 2 3 4; do "$B" version & done; wait'`
  const env = { B: launcher, BUILDER_ROOT: join(store, 'root'), BUILDER_RUNROOT: join(store, 'run') }
  const few = await command(['sh', '-c', lines(64)], { env })
  assert.deepEqual([few.stderr, few.stdout.match(/^builder \d/gm)?.length, few.code], ['', 4, 0])
  const none = await command(['sh', '-c', lines(20)], { env })
  assert.equal(none.code, 125)
  assert.match(
    none.stderr,
    /^builder: start: EMFILE: too many open files.*\nbuilder: unshare: the session's engine did not start\n$/,
  )
})

test('a session cannot begin in a folder that was removed, and says so', async (t) => {
  const store = tempDir(t)
  const env = { B: launcher, BUILDER_ROOT: join(store, 'root'), BUILDER_RUNROOT: join(store, 'run') }
  const ran = await command(['sh', '-c', 'mkdir gone && cd gone && rmdir ../gone && "$B" unshare true'], {
    env,
    cwd: store,
  })
  assert.match(ran.stderr, /builder: unshare: the working folder was removed; go to another one\n$/)
})

test("a prompt's session keeps to the store for which it was begun", async (t) => {
  const store = tempDir(t)
  const script =
    'eval "$("$B" --root "$S/ro ot" --runroot "$S/run" session)"; "$B" from --name c scratch; ls "$S/ro ot"'
  const ran = await command(['sh', '-c', script], { env: { B: launcher, S: store, HOME: store } })
  assert.match(ran.stdout, /^c\n(.*\n)*containers\n/, ran.stderr)
  await eventually(() => sessionsOf(store).length === 0, 'the end of the session')
})

test('many programs in one session leave nothing behind in the engine that Node would warn of', async (t) => {
  const script = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do $B unshare true || exit; done'
  const engineSays = await inSession(t, script)
  assert.deepEqual([engineSays.code, engineSays.stderr], [0, ''])
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { type Container, from, RunError } from '../../sdk/index.js'
import { inSession, inTerminal, launcher, limit } from '../bin/in-session.js'
import { builder, type Ran, tempDir } from '../lane.js'
import { refuses, said } from './cases.js'

before(async () => {
  await said('from', '--name', 'c', 'scratch')
})

/** exec-host on a new container, in a folder of its own. */
async function execHost(t: TestContext, script: string, input?: string): Promise<Ran & { readonly cwd: string }> {
  const store = tempDir(t)
  const cwd = join(realpathSync(store), 'some folder')
  mkdirSync(cwd)
  await builder(['from', '--name', 'd', 'scratch'], { store })
  const words = ['exec-host', 'd', '--', 'sh', '-c', script, 'name', 'a b']
  return { ...(await builder(words, { store, cwd, env: { GREETING: 'hi' }, ...(input ? { input } : {}) })), cwd }
}

test('the command has the caller’s folder, words, environment and streams, and is root there', limit, async (t) => {
  const script = 'pwd; echo "$1 $GREETING $(id -u)"; cat; echo wrong >&2; exit 7'
  const { cwd, ...ran } = await execHost(t, script, 'typed\n')
  assert.deepEqual(ran, { stdout: `${cwd}\na b hi 0\ntyped\n`, stderr: 'wrong\n', code: 7 })
})

test('what it does at BUILDER_MOUNT is the container’s, and the mount is gone afterwards', limit, async (t) => {
  const store = tempDir(t)
  const script = `set -e
    $B from --name d scratch
    $B exec-host d -- sh -c 'mkdir "$BUILDER_MOUNT/srv" && echo hello > "$BUILDER_MOUNT/srv/motd" && grep -c "$BUILDER_MOUNT" /proc/self/mountinfo'
    # The next verb comes when all is tidied up.
    $B containers >/dev/null
    ! grep "$BUILDER_ROOT" /proc/self/mountinfo || exit 3
    $B commit -q d i >/dev/null
    $B from --name e i
    $B exec-host e -- sh -c 'cat "$BUILDER_MOUNT/srv/motd"; stat -c %u:%g "$BUILDER_MOUNT/srv"'`
  const { stdout, stderr, code } = await inSession(t, script, { store })
  assert.deepEqual([stdout, code], ['d\n1\ne\nhello\n0:0\n', 0], stderr)
  const { stdout: outside } = await builder(['exec-host', 'e', '--', 'sh', '-c', 'cat "$BUILDER_MOUNT/srv/motd"'], {
    store,
  })
  assert.equal(outside, 'hello\n')
})

test('a container that is mounted for its user is shared, and stays mounted', limit, async (t) => {
  const store = tempDir(t)
  const script = `set -e
    $B from --name d scratch >/dev/null
    m=$($B mount d)
    $B exec-host d -- sh -c 'echo there > "$BUILDER_MOUNT/file"'
    cat "$m/file"`
  const { stdout, stderr } = await inSession(t, script, { store })
  assert.equal(stdout, 'there\n', stderr)
})

test('verbs that the command calls are answered, also of the same container', limit, async (t) => {
  const { stdout, stderr, code } = await execHost(
    t,
    `"${launcher}" config --label made=yes d && "${launcher}" inspect -f '{{.OCIv1.Config.Labels}}' d`,
  )
  assert.deepEqual([stdout, code], ['map[made:yes]\n', 0], stderr)
})

test('a signal to builder is the command’s', limit, async (t) => {
  const store = tempDir(t)
  await builder(['from', '--name', 'd', 'scratch'], { store })
  const words = ['--root', join(store, 'root'), '--runroot', join(store, 'run'), 'exec-host', 'd', '--', 'sh', '-c']
  const script = 'trap "exit 42" TERM; echo ready; while :; do sleep 0.05; done'
  const child = spawn(launcher, [...words, script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const code = await new Promise((resolve) => {
    child.stdout.once('data', () => child.kill('SIGTERM'))
    child.once('exit', resolve)
  })
  assert.equal(code, 42)
})

test('the terminal is the caller’s', limit, async (t) => {
  const shown = await inTerminal(t, '$B from --name d scratch; $B exec-host d -- sh -c "test -t 0 && test -t 1 && tty"')
  assert.match(shown, /^d\r\n\/dev\/pts\/\d+\r\n$/)
})

test('it makes the state of a container with steps unknown until the next commit', limit, async (t) => {
  const script = `set -e
    $B from --layers --explain --name d scratch >/dev/null
    touch file
    $B copy -q d file /one 2>first
    $B exec-host d -- sh -c 'echo own > "$BUILDER_MOUNT/own"'
    $B copy -q d file /two 2>second
    $B commit -q d >/dev/null
    $B copy -q d file /three 2>third
    for name in first second third; do grep -c 'changed by other means' $name || :; done`
  const { stdout, stderr, code } = await inSession(t, script, { cwd: tempDir(t) })
  assert.deepEqual([stdout, code], ['0\n1\n0\n', 0], stderr)
})

async function scripted(t: TestContext): Promise<Container> {
  const store = tempDir(t)
  return from('scratch', { root: join(store, 'root'), runroot: join(store, 'run') })
}

test('from TypeScript: output and exit code, in the script’s folder', limit, async (t) => {
  await using c = await scripted(t)
  const output = await c.execHost(['sh', '-c', 'pwd; cat; echo err >&2; echo 1 > "$BUILDER_MOUNT/file"'], {
    quiet: true,
    input: 'in\n',
  })
  assert.deepEqual(output, { exitCode: 0, stdout: `${process.cwd()}\nin\n`, stderr: 'err\n' })
  assert.equal((await c.execHost(['sh', '-c', 'cat "$BUILDER_MOUNT/file"'], { quiet: true })).stdout, '1\n')
})

test('from TypeScript: a command that fails, one that is not there, one that is stopped', limit, async (t) => {
  await using c = await scripted(t)
  await assert.rejects(c.execHost(['sh', '-c', 'echo why >&2; exit 3'], { quiet: true }), (error) => {
    assert.ok(error instanceof RunError)
    assert.deepEqual([error.exitCode, error.argv[0], error.stderr], [3, 'sh', 'why\n'])
    return true
  })
  assert.equal((await c.execHost(['false'], { quiet: true, nothrow: true })).exitCode, 1)
  await assert.rejects(c.execHost(['no-such-program']), {
    code: 'NOT_FOUND',
    message: 'exec-host no-such-program: it cannot be started; check its name',
  })
  const stopper = new AbortController()
  const waiting = c.execHost(['sh', '-c', 'echo started >&2; exec sleep 1000'], { signal: stopper.signal, quiet: true })
  stopper.abort()
  await assert.rejects(waiting, { code: 'ABORTED' })
})

refuses([
  [['exec-host', 'gone', '--', 'true'], /^builder: exec-host gone: there is no such container/],
  [
    ['exec-host', 'c', '--', 'no-such-program'],
    /^builder: exec-host no-such-program: it cannot be started; check its name/,
  ],
  [['exec-host', 'c'], /^builder: exec-host COMMAND: it is missing/],
  [['exec-host'], /^builder: exec-host CONTAINER: it is missing/],
])

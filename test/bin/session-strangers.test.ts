import assert from 'node:assert/strict'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { command, lane, needs, tempDir, top } from '../lane.js'
import { furnished, inSession, launcher, limit } from './in-session.js'

test('another user cannot enter a session, and with its variable works alone', limit, async (t) => {
  if (lane() !== 'root') return t.skip('only root becomes other users')
  if (!needs(t, 'setpriv')) return
  const folder = tempDir(t)
  mkdirSync(join(folder, 'theirs'))
  for (const path of [folder, join(folder, 'theirs')]) chmodSync(path, 0o777)
  const other = 'setpriv --reuid 65534 --regid 65534 --clear-groups'
  const places = `BUILDER_ROOT=${folder}/theirs/root BUILDER_RUNROOT=${folder}/theirs/run`
  const script = `chmod 755 "$(dirname "$BUILDER_ROOT")"; unset BUILDER_MAIN
    ${other} ls "$BUILDER_SESSION" 2>&1 | sed 's/.*: //'; ${other} sh -c 'echo 1 >"$BUILDER_SESSION/1.up"' 2>/dev/null || echo closed
    ${other} env ${places} HOME=/nowhere "$B" --version`
  const ran = await inSession(t, script, { cwd: folder })
  assert.match(ran.stdout, /^Permission denied\nclosed\nbuilder \d\S*\n$/, ran.stderr)
})

test("root with another user's session works alone", limit, async (t) => {
  if (lane() !== 'root') return t.skip('only root becomes other users')
  if (!needs(t, 'setpriv')) return
  const folder = tempDir(t)
  chmodSync(folder, 0o777)
  // Whoever owns the folder may have put anything into it.
  const script = `mkdir -p "$0/$PPID"; cd "$0/$PPID"; echo x >engine; mkfifo 1.up 1.down control; echo "$PWD"`
  const other = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']
  const made = await command([...other, 'sh', '-c', script, join(folder, 's')])
  const env = { BUILDER_SESSION: made.stdout.trim() }
  const ran = await command(['timeout', '20', launcher, '--version'], { env })
  assert.match(ran.stdout, /^builder \d/, ran.stderr)
})

test(
  'a session inherited into a container: the launcher says what is missing there, and does not hang',
  limit,
  async (t) => {
    const store = await furnished(t)
    const flags = '--env BUILDER_SESSION="$BUILDER_SESSION" -v "$BUILDER_SESSION:$BUILDER_SESSION" -v "$T:/builder:ro"'
    const script = `for i in oci chroot; do timeout 20 "$B" run --isolation $i ${flags} c -- sh /builder/bin/builder version; echo $?; done`
    const ran = await inSession(t, script, { store, env: { T: top } })
    assert.equal(ran.stdout, '125\n125\n')
    assert.equal(ran.stderr, 'builder: start: node is not on the PATH; install Node.js 20 or newer\n'.repeat(2))
  },
)

test('in a mount namespace or a root of its own a verb works alone', limit, async (t) => {
  const script = `unset BUILDER_MAIN; timeout 20 unshare -m "$B" inspect --format '{{.Container}}' c
    timeout 20 unshare -m sh -c 'mount --rbind / "$0" && exec chroot "$0" "$B" inspect --format "{{.Container}}" c' "$R"
    "$B" inspect --format '{{.Container}}' c`
  const ran = await inSession(t, script, { store: await furnished(t), env: { R: tempDir(t) } })
  assert.deepEqual(ran, { stdout: 'c\nc\nc\n', stderr: '', code: 0 })
})

test('a session whose folder was removed: verbs work alone, and the engine ends', limit, async (t) => {
  const script = `unset BUILDER_MAIN; rm -rf "$BUILDER_SESSION"; "$B" inspect --format '{{.Container}}' c; echo "\${BUILDER_SESSION##*/}"`
  const ran = await inSession(t, script, { store: await furnished(t) })
  assert.match(ran.stdout, /^c\n\d+\n$/)
  assert.equal(ran.stderr, '')
})

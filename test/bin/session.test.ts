import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { quoteWord } from '../../sdk/image/words.js'
import { needs, tempDir } from '../lane.js'
import { furnished, inSession } from './in-session.js'

const shells = [['dash'], ['bash'], ['busybox', 'ash']] as const
const odd = [
  '',
  ' ',
  'a  b',
  "it's",
  '"q"',
  'new\nline',
  '$HOME',
  '`id`',
  '*',
  '\\',
  'ü',
  '!x',
  'last\n',
  '#end',
  '= x',
]

/** Calls the launcher by a certain shell. */
function by(shell: readonly string[]): string {
  return `${shell.join(' ')} "$B"`
}

for (const shell of shells) {
  const name = shell.join(' ')

  test(`${name}: words of any kind arrive as they are, and come back so`, async (t) => {
    if (!needs(t, shell[0])) return
    const labels = odd.map((word, i) => `--label l${i}=${quoteWord(word)}`).join(' ')
    const b = by(shell)
    const script = `${b} from --name c scratch >/dev/null && ${b} config ${labels} c &&
      ${b} inspect --format '{{json .OCIv1.config.Labels}}' c`
    const ran = await inSession(t, script)
    assert.equal(ran.stderr, '')
    assert.deepEqual(JSON.parse(ran.stdout), Object.fromEntries(odd.map((word, i) => [`l${i}`, word])))
  })

  test(`${name}: two megabytes of words`, async (t) => {
    if (!needs(t, shell[0])) return
    const script = `set -e; w=$(printf '%0100000d' 0); ${by(shell)} from --name c scratch
      set --; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do set -- "$@" --label "l$i=$w"; done
      unset w; ${by(shell)} config "$@" c; ${by(shell)} inspect --format '{{json .OCIv1.config.Labels}}' c`
    const ran = await inSession(t, script)
    assert.equal(ran.stderr, '')
    const labels = Object.values(JSON.parse(ran.stdout.replace(/^c\n/, '').replace(/^[0-9a-f]{64}\n/, '')) as object)
    assert.deepEqual([labels.length, labels.every((one) => one === '0'.repeat(100_000))], [19, true])
  })

  test(`${name}: the working folder, the umask and the environment are the caller's`, async (t) => {
    if (!needs(t, shell[0])) return
    const folder = tempDir(t)
    mkdirSync(join(folder, 'a b'))
    writeFileSync(join(folder, 'a b/one'), 'one')
    const b = by(shell)
    const script = `set -e; cd "$F/a b"; c=$(${b} from scratch); ${b} copy -q "$c" one /
      umask 077; TOLD='x  y' ${b} config --env TOLD "$c"
      SOURCE_DATE_EPOCH=1 ${b} commit --iidfile ../id "$c" i >/dev/null
      ${b} inspect --type image --format '{{.OCIv1.Created}} {{index .OCIv1.Config.Env 0}}' i`
    const ran = await inSession(t, script, { env: { F: folder } })
    assert.equal(ran.stderr, '')
    assert.match(ran.stdout, /^1970-01-01T00:00:01Z TOLD=x {2}y\n$/)
    assert.equal(statSync(join(folder, 'id')).mode & 0o777, 0o600)
    assert.match(readFileSync(join(folder, 'id'), 'latin1'), /^(sha256:)?[0-9a-f]{64}$/)
  })

  test(`${name}: standard output, standard error and the exit code are given back`, async (t) => {
    if (!needs(t, shell[0])) return
    const b = by(shell)
    const script = `${b} version >one; ${b} nope 2>two; echo $? >>two; ${b} images --nope >three 2>&1; echo $? >>three
      { ${b} version; ${b} version; } >four; echo before >five; ${b} version >>five`
    const folder = tempDir(t)
    const ran = await inSession(t, script, { cwd: folder })
    assert.deepEqual(ran, { stdout: '', stderr: '', code: 0 })
    const file = (name: string) => readFileSync(join(folder, name), 'utf8')
    assert.match(file('one'), /^builder \d/)
    assert.match(file('two'), /^builder: verb nope: there is no such verb.*\nSee builder --help\n125\n$/s)
    assert.match(file('three'), /^builder: images --nope: there is no such flag.*\n125\n$/s)
    assert.equal(file('four'), file('one').repeat(2))
    assert.equal(file('five'), `before\n${file('one')}`)
  })

  test(`${name}: standard input passes through, from where it stands`, async (t) => {
    if (!needs(t, shell[0], 'tar')) return
    const store = await furnished(t)
    const folder = tempDir(t)
    writeFileSync(join(folder, 'file'), 'content')
    const b = by(shell)
    const script = `set -e; tar c file >t; tar c file | ${b} add -q c - /piped; ${b} add -q c - /read <t
      { read -r _; ${b} run c -- cat; } <<E
first
second
E
      echo x | ${b} run c -- cat; ${b} run c -- cat /piped/file /read/file`
    const ran = await inSession(t, script, { cwd: folder, store, shell: ['bash'] })
    assert.equal(ran.stderr, '')
    assert.equal(ran.stdout, 'second\nx\ncontentcontent')
  })
}

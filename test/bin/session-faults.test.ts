import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { needs, tempDir } from '../lane.js'
import { furnished, inSession, limit } from './in-session.js'

const ended = "builder: the session's engine ended before it answered; builder check tells whether the store is whole\n"

test('the engine killed in the middle of a verb: the launcher says so, and the store is whole', limit, async (t) => {
  const script = `mkfifo p; "$B" add -q c - /x <p & exec 4>p; sleep 0.3
    kill -9 "$(basename "$BUILDER_SESSION")"; wait $!; echo $?; exec 4>&-
    unset BUILDER_MAIN; "$B" check >/dev/null && "$B" config --label a=b c >/dev/null && echo whole`
  const ran = await inSession(t, script, { store: await furnished(t), cwd: tempDir(t) })
  assert.deepEqual([ran.stdout, ran.stderr], ['125\nwhole\n', ended])
})

for (const [name, fill] of [
  ['blocks', 'head -c 4M /dev/zero >"$R/fill" 2>/dev/null'],
  ['inodes', 'i=0; while { true >"$R/$i"; } 2>/dev/null; do i=$((i + 1)); done'],
] as const)
  test(`no ${name} left for the session's folder: verbs go on, by themselves`, limit, async (t) => {
    const script = `unset BUILDER_SESSION BUILDER_MAIN; mkdir run; export R=$PWD/run; export BUILDER_RUNROOT=$R/b
      mount -t tmpfs -o size=256k,nr_inodes=128 tmpfs "$R"
      "$B" unshare sh -c '${fill}; "$B" inspect --format {{.Container}} c; "$B" inspect --format {{.Container}} c; echo $?'
      umount -l "$R"`
    const ran = await inSession(t, script, { store: await furnished(t), cwd: tempDir(t) })
    assert.deepEqual(ran, { stdout: 'c\nc\n0\n', stderr: '', code: 0 })
  })

for (const signal of ['KILL', 'TERM'])
  test(
    `a launcher ended by SIG${signal} while its verb runs: it is undone, and its place is free`,
    limit,
    async (t) => {
      const script = `mkfifo p; exec 4<>p; sleep 0.2; echo "$(ls "$BUILDER_SESSION" | wc -l)"
      for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
        "$B" add -q c - /x <p & sleep 0.05; kill -${signal} $!; wait $!; codes="$codes $?"; done 2>said
      echo $codes; "$B" inspect --format '{{.Container}}' c
      left() { { ls "$BUILDER_SESSION" | grep taken; find "$BUILDER_ROOT/tmp" -type f; } | wc -l; }
      i=0; while [ "$(left)" -gt 0 ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
      ls "$BUILDER_SESSION" | wc -l; ls "$BUILDER_SESSION" | grep -c taken
      "$B" run c -- test -e /x || echo undone; find "$BUILDER_ROOT/tmp" -type f | wc -l; "$B" check >/dev/null && echo whole`
      const cwd = tempDir(t)
      const ran = await inSession(t, script, { store: await furnished(t), cwd })
      const [before, codes, ...rest] = ran.stdout.trim().split('\n')
      assert.deepEqual(
        [...new Set(codes?.split(' '))].length,
        1,
        `${codes} ${ran.stderr} ${readFileSync(join(cwd, 'said'), 'utf8')}`,
      )
      assert.deepEqual(rest, ['c', before, '0', 'undone', '0', 'whole'], ran.stderr)
    },
  )

test(
  'a place taken by a launcher that was killed before it asked is free again after the next verb',
  limit,
  async (t) => {
    const script = `while [ -e "$BUILDER_SESSION/1.taken" ]; do sleep 0.01; done
    sh -c 'echo $$ >"$BUILDER_SESSION/1.taken"'; "$B" inspect --format '{{.Container}}' c
    i=0; while [ -e "$BUILDER_SESSION/1.taken" ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
    ls "$BUILDER_SESSION" | grep -c taken`
    const ran = await inSession(t, script, { store: await furnished(t) })
    assert.deepEqual([ran.stdout, ran.stderr], ['c\n0\n', ''])
  },
)

test('six hundred killed launchers use up no places', limit, async (t) => {
  const script = `i=0; while [ $i -lt 600 ]; do i=$((i + 1)); "$B" inspect c & case $i in *[05]) sleep 0.004 ;; esac; kill -9 $!; done >/dev/null 2>&1
    wait; i=0; until "$B" inspect c >/dev/null 2>&1 || [ $i = 100 ]; do sleep 0.1; i=$((i + 1)); done
    for i in 1 2 3 4 5 6 7 8 9 10; do "$B" inspect --format '{{.Container}}' c; done; ls "$BUILDER_SESSION" | grep -c 'up$'`
  const ran = await inSession(t, script, { store: await furnished(t), shell: ['bash'] })
  const lines = ran.stdout.trim().split('\n')
  assert.deepEqual(lines.slice(0, -1), Array(10).fill('c'), ran.stderr)
  assert.ok(Number(lines.at(-1)) <= 512)
})

test('streams that nobody reads or writes hold up nobody else, nor the end', limit, async (t) => {
  const script = `mkfifo in full; exec 3<>full 4<>in; dd if=/dev/zero bs=65536 count=1 >&3 2>/dev/null
    for i in 1 2 3 4 5 6; do "$B" add -q c - /x <in & "$B" nope 2>&3 & "$B" containers >&3 & "$B" --log-level debug from nowhere:5/x 2>&3 & done
    sleep 1; "$B" from --name d scratch; "$B" config --label a=b d; "$B" copy -q d "$B" /b; "$B" run c -- printf 'ran\\n'; "$B" rm d`
  const ran = await inSession(t, `${script} | sed 's/^[0-9a-f]*$/id/'; exec kill -9 0`, {
    store: await furnished(t),
    cwd: tempDir(t),
    shell: ['setsid', '-w', 'bash'],
  })
  assert.match(ran.stdout, /^d\n(id\n)*ran\nid\n$/, ran.stderr)
})

const odd: readonly (readonly [string, string])[] = [
  ['closed standard input', '"$B" version <&-'],
  ['closed standard output', '"$B" version >&-'],
  ['closed standard error', '"$B" nope 2>&-'],
  ['all closed', '"$B" inspect --format {{.Container}} c <&- >&- 2>&-'],
  ['a command with all closed', '"$B" run c -- true <&- >&- 2>&-'],
  ['a command with closed input', '"$B" run c -- sh -c "echo in" <&-'],
  ['a command with closed output', '"$B" run c -- true >&-'],
  ['an archive from closed input', '"$B" add -q c - /empty <&-'],
  ['a reader that goes', '"$B" inspect c | head -c1'],
  ['a full error stream', '"$B" nope 2>/dev/full'],
  ['a word that is standard input', 'echo hello >h; "$B" copy -q c /dev/stdin /in <h; "$B" run c -- cat /in'],
  ['a word that is a descriptor', 'echo hello >h; "$B" copy -q c /dev/fd/3 /in 3<h; "$B" run c -- cat /in'],
  [
    'a word that is standard output',
    '"$B" containers -q | grep -c .; "$B" commit -q --iidfile /dev/stdout c i | wc -l',
  ],
  [
    'a script that uses the descriptors itself',
    'exec 5<"$F" 6<"$F" 7<"$F" 8<"$F" 9<"$F"; "$B" version; "$B" run c -- true; cat <&5 <&6; cat <&7; cat <&8; cat <&9',
  ],
  ['a folder that was removed', 'mkdir gone; cd gone; rmdir ../gone; "$B" inspect --format {{.Container}} c'],
  ...['', 'x', '/', '/etc/hostname', './x', '/nowhere/1'].map(
    (value) =>
      [
        `the session ${JSON.stringify(value)}`,
        `BUILDER_SESSION=${value} "$B" inspect --format {{.Container}} c`,
      ] as const,
  ),
  ['the session of a FIFO', 'BUILDER_SESSION=$BUILDER_SESSION/1.up "$B" inspect --format {{.Container}} c'],
]
for (const shell of [['dash'], ['bash'], ['busybox', 'ash']] as const)
  test(`${shell.join(' ')}: odd surroundings: as without a session`, limit, async (t) => {
    if (!needs(t, shell[0])) return
    const store = await furnished(t)
    const answers = async (before: string) => {
      const lines = odd.map(
        ([, words]) =>
          `(cd "$(mktemp -d "$PWD/XXXXXX")"; ${words.replaceAll('"$B"', 'b')}; echo "code $?") 2>&1; echo ====`,
      )
      const script = `unset BUILDER_MAIN; ${before}; b() { timeout 20 ${shell.join(' ')} "$B" "$@"; }; ${lines.join('\n')}`
      const ran = await inSession(t, script, { store, cwd: tempDir(t), env: { F: join('/etc', 'hostname') } })
      return ran.stdout.split('====\n').map((text, i) => [odd[i]?.[0], text.replace(/^sh: 0: getcwd.*\n/gm, '')])
    }
    assert.deepEqual(await answers(':'), await answers('unset BUILDER_SESSION'))
  })

test('what cannot be written is said, with exit code 125', limit, async (t) => {
  const script = `for s in dash bash 'busybox ash'; do for v in inspect 'inspect --format {{.Container}}'; do
    $s "$B" $v c >/dev/full; echo $?; done; done`
  const ran = await inSession(t, script, { store: await furnished(t) })
  assert.equal(ran.stdout, '125\n'.repeat(6))
  const said = ran.stderr.split('\n').filter((line) => line.startsWith('builder: '))
  assert.deepEqual(
    said,
    Array(6).fill('builder: write standard output: it was not written, as said above; what the verb did is done'),
  )
})

test('an answer of two megabytes, to one who reads slowly, and to one who goes', limit, async (t) => {
  const script = `w=$(printf '%0100000d' 0); set --
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do set -- "$@" --label "l$i=$w"; done
    "$B" config "$@" c; set --; "$B" inspect c | { sleep 0.5; wc -c; }; "$B" inspect c | head -c1; echo; "$B" version | wc -l`
  const ran = await inSession(t, script, { store: await furnished(t) })
  const [size, first, lines] = ran.stdout.trim().split('\n')
  assert.ok(Number(size) > 1_900_000)
  assert.deepEqual([first, lines, ran.code], ['{', '5', 0])
})

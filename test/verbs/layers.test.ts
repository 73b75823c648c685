import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { furnished, inSession, limit } from '../bin/in-session.js'
import { builder, command, tempDir } from '../lane.js'

const file = { after } as unknown as TestContext
/** A store that has nothing but an image `base`, with a few programs. */
const furnishedStore = await furnished(file)

before(async () => {
  const script = '$B commit c base >/dev/null; $B rm c >/dev/null'
  assert.equal((await inSession(file, script, { store: furnishedStore })).code, 0)
})

/** A store of its own, and a folder with files to copy. */
async function scene(t: TestContext) {
  const store = tempDir(t)
  await command(['cp', '-a', join(furnishedStore, 'root'), store])
  const src = tempDir(t)
  mkdirSync(join(src, 'site'))
  writeFileSync(join(src, 'site/index'), 'hello')
  writeFileSync(join(src, 'other'), 'other')
  return { store, src, play: (...scripts: readonly string[]) => play(t, store, src, scripts) }
}

/** Runs scripts in one session, each with a new container `$c`, and gives what each printed and what became of its steps. */
async function play(t: TestContext, store: string, cwd: string, scripts: readonly string[]) {
  const parts = scripts.map(
    (script) => `(set -e; c=$($B from --layers base)\n${script}) </dev/null
    code=$?; echo ==; echo == >&2; [ "$code" = 0 ] || exit "$code"`,
  )
  const ran = await inSession(t, parts.join('\n'), { store, cwd, env: { BUILDER_EXPLAIN: '1' } })
  assert.equal(ran.code, 0, ran.stderr)
  const errors = ran.stderr.split('==\n')
  return ran.stdout
    .split('==\n')
    .slice(0, -1)
    .map((stdout, i) => {
      const stderr = errors[i] ?? ''
      const told = stderr.split('\n').filter((line) => line.startsWith('builder: '))
      const states = told.flatMap((line) => /: (cached|executed|not kept)/.exec(line)?.[1] ?? []).join(' ')
      return { stdout, stderr, told, states }
    })
}

const recipe = `
$B copy -q $c site/ /srv/
$B run $c sh -c 'echo out; echo err >&2; cat /srv/index >/made'
$B copy -q $c other /other
v=$($B run $c cat /made)
$B config --label v=$v $c
$B commit $c web`

test('the same recipe again executes nothing, prints the same, and gives the same image', limit, async (t) => {
  const { play, store, src } = await scene(t)
  const edited = 'echo hullo >site/index; printf hello >site/index; touch other\n'
  const [first, second, third] = await play(recipe, recipe, edited + recipe)
  assert.equal(first?.states, 'executed executed executed executed')
  for (const again of [second, third]) {
    assert.equal(again?.states, 'cached cached cached cached')
    assert.equal(again?.stdout, first?.stdout)
    assert.deepEqual(again?.stderr.match(/^err$/gm), ['err'])
  }
  const cold = (...words: string[]) => builder(words, { store, cwd: src, env: { BUILDER_EXPLAIN: '1' }, input: '' })
  await cold('from', '--layers', '--name', 'mine', 'base')
  assert.match((await cold('copy', '-q', 'mine', 'site/', '/srv/')).stderr, /: cached\n$/)
  const hit = await cold('run', 'mine', 'sh', '-c', 'echo out; echo err >&2; cat /srv/index >/made')
  assert.equal(hit.stdout, 'out\n')
  assert.match(hit.stderr, /: cached\nerr\n$/)
  const miss = await cold('run', 'mine', 'sh', '-c', 'echo new; echo err >&2')
  assert.equal(miss.stdout, 'new\n')
  assert.match(miss.stderr, /: executed: nothing like it is kept\nerr\n$/)
  assert.equal((await cold('run', 'mine', 'sh', '-c', 'echo new; echo err >&2')).stdout, 'new\n')
})

test('a changed file executes what follows it, and nothing before', limit, async (t) => {
  const { play } = await scene(t)
  const [, second] = await play(recipe, `printf changed >other\n${recipe}`)
  assert.equal(second?.states, 'cached cached executed executed')
  assert.match(second.told[2] ?? '', /copy other \/other: executed: sources changed: was sha256:\w+, is sha256:\w+$/)
  assert.match(second.told[3] ?? '', /run cat \/made: executed: what it stands on changed$/)
})

const always: Readonly<Record<string, readonly [script: string, states: string, why: RegExp]>> = {
  'what reads its standard input': ['echo said | $B run $c cat', 'executed', /its standard input may bring anything/],
  'what can write to a folder of this machine': [
    '$B run -v $PWD:/out $c true',
    'executed',
    /it can write to a folder of this machine: \/.*:\/out; end it in :ro/,
  ],
  'what failed': ['$B run $c sh -c "exit 3" || true', 'executed not kept', /exit code was 3/],
  'what printed more than a megabyte': [
    `$B run $c sh -c 'i=0; while [ $i -lt 1100 ]; do i=$((i+1)); printf "%01000d\\n" 0; done' >/dev/null`,
    'executed not kept',
    /more than 1 MiB/,
  ],
  'what printed bytes that are no text': [`$B run $c printf '\\377' >/dev/null`, 'executed not kept', /no UTF-8/],
}
for (const [title, [script, states, why]] of Object.entries(always))
  test(`${title} is executed every time`, limit, async (t) => {
    const { play } = await scene(t)
    // What the engine says after a command has ended may come when the script is further.
    const wait = '; $B rm $c >/dev/null'
    const [first, second] = await play(script + wait, script + wait)
    assert.deepEqual([first?.states, second?.states], [states, states])
    assert.match(second?.stderr ?? '', why)
    assert.equal(second?.stdout, first?.stdout)
  })

test('after what is not kept, what follows is known again', limit, async (t) => {
  const { play } = await scene(t)
  const script = `echo same | SOURCE_DATE_EPOCH=1 $B run $c sh -c 'cat >/said'
    $B run $c cat /said`
  assert.equal((await play(script, script))[1]?.states, 'executed cached')
})

test('a folder that a run only reads counts by its content', limit, async (t) => {
  const { play } = await scene(t)
  const script = `$B run -v $PWD/site:/in:ro $c cat /in/index
    $B run --mount type=bind,src=site,dst=/in $c cat /in/index
    $B run --mount type=bind,from=base,src=/usr/bin,dst=/in $c test -e /in/cat`
  const [, second, third] = await play(script, script, `printf other >site/index\n${script}`)
  assert.equal(second?.states, 'cached cached cached')
  assert.equal(third?.states, 'executed executed cached')
  assert.equal(third?.stdout, 'otherother')
  assert.match(third?.stderr ?? '', /mounts changed/)
})

const changes: Readonly<Record<string, readonly [string, string, RegExp]>> = {
  environment: ['$B run -e A=1 $c true', '$B run -e A=2 $c true', /env changed: was A=\(sha256:\w+\), is A=/],
  configuration: ['$B config --env B=1 $c; $B run $c true', '$B run $c true', /env changed: was B=/],
  user: ['$B run --user 5 $c true', '$B run --user 6 $c true', /user changed: was 5, is 6/],
  folder: ['$B run --workingdir /usr $c true', '$B run $c true', /workingdir changed: was \/usr, is \//],
  destination: ['$B copy -q $c other /a', '$B copy -q $c other /b', /destination changed: was \/a, is \/b/],
  owner: ['$B copy -q --chown 1 $c other /a', '$B copy -q $c other /a', /chown changed: was 1, is nothing/],
  kind: ['$B copy -q $c other /a', '$B add -q $c other /a', /nothing like it is kept/],
  time: ['SOURCE_DATE_EPOCH=5 $B copy -q $c other /a', '$B copy -q $c other /a', /epoch changed: was 5, is nothing/],
}
for (const [what, [one, other, why]] of Object.entries(changes))
  test(`another ${what} is another step`, limit, async (t) => {
    const { play } = await scene(t)
    const [, second, third] = await play(one, other, one)
    assert.deepEqual([second?.states, third?.states], ['executed', 'cached'])
    assert.match(second?.stderr ?? '', why)
  })

test('a label changes no step', limit, async (t) => {
  const { play } = await scene(t)
  const [, second] = await play('$B run $c true', '$B config --label a=b --cmd x --port 80 $c; $B run $c true')
  assert.equal(second?.states, 'cached')
})

test('a mount makes the state unknown until the next commit', limit, async (t) => {
  const { play } = await scene(t)
  const script = `m=$($B mount $c); echo x >$m/mine; $B umount $c >/dev/null
    $B run $c cat /mine
    SOURCE_DATE_EPOCH=1 $B commit $c web >/dev/null
    $B run $c cat /mine`
  const [first, second] = await play(script, script)
  assert.match(first?.told[0] ?? '', /executed: its container was changed by other means than steps; a commit makes/)
  assert.equal(second?.states, 'executed cached')
  assert.equal(second?.stdout, 'x\nx\n')
})

test('a copy from another container is known by its layers, and else by its content', limit, async (t) => {
  const { play } = await scene(t)
  const script = (what: string) => `a=$($B from --layers base)
    $B copy -q $a site/ /site/
    $B copy -q $a other /${what}
    $B copy -q --from $a $c /site/ /srv/`
  const [, second, third] = await play(script('x'), script('x'), script('y'))
  assert.equal(second?.states, 'cached cached cached')
  assert.equal(third?.states, 'cached executed cached')
})

test('archives and what is added are steps too', limit, async (t) => {
  const { play } = await scene(t)
  const script = `tar cf a.tar site; $B add -q $c a.tar /un; $B add -q --no-unpack $c a.tar /
    $B run $c ls /un/site /a.tar`
  const [first, second, third] = await play(`touch -d @1 site site/index; ${script}`, script, `touch site/m; ${script}`)
  assert.equal(second?.states, 'cached cached cached')
  assert.equal(second?.stdout, first?.stdout)
  assert.equal(third?.states, 'executed executed executed')
})

test('programs with their libraries are a step', limit, async (t) => {
  const { play } = await scene(t)
  const script = '$B copy -q --closure $c /usr/bin/env'
  assert.equal((await play(script, script))[1]?.states, 'cached')
})

test('--no-cache executes all, and keeps it', limit, async (t) => {
  const { play } = await scene(t)
  const words = 'sh -c "echo a >/a"'
  const script = `n=$($B from --layers --no-cache base); $B run $n ${words}; $B run $c ${words}`
  const [, second] = await play(script, script)
  assert.equal(second?.states, 'executed cached')
  assert.match(second?.stderr ?? '', /takes nothing from the cache/)
})

test('verbs side by side in one container are executed, and none is kept for what another did', limit, async (t) => {
  const { play } = await scene(t)
  const waiting = `sh -c 'until test -e /b; do sleep 0.01; done; echo a >/a'`
  const script = `$B run $c ${waiting} & $B run $c sh -c 'echo b >/b'; wait`
  const [first, second] = await play(script, script)
  assert.equal(first?.states, 'executed executed')
  assert.doesNotMatch(second?.states ?? '', /cached.*cached/)
})

test('nothing is said unless it is asked for, and a container without --layers has no steps', limit, async (t) => {
  const { play, store } = await scene(t)
  const [quiet, loud] = await play(
    'BUILDER_EXPLAIN= $B run $c true; d=$($B from base); $B run $d sh -c "echo x >/x"',
    'unset BUILDER_EXPLAIN; d=$($B from --layers --explain base); $B run $d true',
  )
  assert.deepEqual(quiet?.told, [])
  assert.equal(loud?.states, 'cached')
  assert.equal(readdirSync(join(store, 'root/cache/steps')).length, 1)
})

test('the history tells each step', limit, async (t) => {
  const { play } = await scene(t)
  const [first] = await play(`$B copy -q $c other /a; $B run $c sh -c 'echo b >/b'; $B commit $c web >/dev/null
    $B inspect --type image --format '{{range .OCIv1.History}}{{println .CreatedBy}}{{end}}' web`)
  assert.match(first?.stdout ?? '', /#\(nop\) COPY sha256:\w+ in \/a\nsh -c echo b >\/b\n+$/)
})

test('a run that is stopped leaves a whole store, and nothing in the cache', limit, async (t) => {
  const { play, store } = await scene(t)
  await play(`$B run $c sh -c 'echo x >/x; echo here; sleep 60' >$PWD/log & p=$!
    until grep -q here $PWD/log; do sleep 0.02; done
    kill $p; wait $p || true
    $B rm $c >/dev/null`)
  const steps = join(store, 'root/cache/steps')
  const kept = existsSync(steps) ? readdirSync(steps).map((name) => readFileSync(join(steps, name)).toString()) : []
  assert.deepEqual(kept, [])
  const checked = await builder(['check'], { store })
  assert.equal(checked.code, 0, checked.stdout)
})

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { furnished, inSession, limit } from '../bin/in-session.js'
import { builder, tempDir } from '../lane.js'

/** A store with an image `base`, and a folder with files to copy. */
async function scene(t: TestContext) {
  const store = await furnished(t)
  const src = tempDir(t)
  mkdirSync(join(src, 'site'))
  writeFileSync(join(src, 'site/index'), 'hello')
  writeFileSync(join(src, 'other'), 'other')
  const play = async (script: string, env: Readonly<Record<string, string>> = {}) => {
    const full = `set -e\nexec </dev/null\nc=$($B from --layers base)\n${script}`
    const ran = await inSession(t, full, { store, cwd: src, env: { BUILDER_EXPLAIN: '1', ...env } })
    assert.equal(ran.code, 0, ran.stderr)
    const told = ran.stderr.split('\n').filter((line) => line.startsWith('builder: '))
    const states = told.flatMap((line) => /: (cached|executed|not kept)/.exec(line)?.[1] ?? [])
    return { ...ran, told, states: states.join(' ') }
  }
  await inSession(t, '$B commit -q c base >/dev/null 2>&1 || $B commit c base >/dev/null', { store })
  return { store, src, play }
}

const recipe = `
$B copy -q $c site/ /srv/
$B run $c sh -c 'echo out; echo err >&2; cat /srv/index >/made'
$B copy -q $c other /other
v=$($B run $c cat /made)
$B config --label v=$v $c
$B commit $c web`

test('the same recipe a second time executes nothing, prints the same, and gives the same image', limit, async (t) => {
  const { play } = await scene(t)
  const first = await play(recipe)
  assert.equal(first.states, 'executed executed executed executed')
  const second = await play(recipe)
  assert.equal(second.states, 'cached cached cached cached')
  assert.equal(second.stdout, first.stdout)
  assert.deepEqual(second.stderr.match(/^err$/gm), ['err'])
})

test('a changed file executes what follows it, and nothing before', limit, async (t) => {
  const { play, src } = await scene(t)
  await play(recipe)
  writeFileSync(join(src, 'other'), 'changed')
  const second = await play(recipe)
  assert.equal(second.states, 'cached cached executed executed')
  assert.match(second.told[2] ?? '', /copy other \/other: executed: sources changed: was sha256:\w+, is sha256:\w+$/)
  assert.match(second.told[3] ?? '', /run cat \/made: executed: what it stands on changed$/)
})

test('touching a file, or an edit that is undone, executes nothing', limit, async (t) => {
  const { play, src } = await scene(t)
  await play(recipe)
  writeFileSync(join(src, 'site/index'), 'hullo')
  writeFileSync(join(src, 'site/index'), 'hello')
  assert.equal((await play(recipe)).states, 'cached cached cached cached')
})

test('verbs outside a session use the same cache', limit, async (t) => {
  const { play, store, src } = await scene(t)
  const cold = async (...words: string[]) => {
    const ran = await builder(words, { store, cwd: src, env: { BUILDER_EXPLAIN: '1' }, input: '' })
    assert.equal(ran.code, 0, ran.stderr)
    return ran
  }
  await play(`$B run $c sh -c 'echo out; echo err >&2; echo x >/made'`)
  await cold('from', '--layers', '--name', 'mine', 'base')
  const hit = await cold('run', 'mine', 'sh', '-c', 'echo out; echo err >&2; echo x >/made')
  assert.equal(hit.stdout, 'out\n')
  assert.match(hit.stderr, /: cached\nerr\n$/)
  const miss = await cold('run', 'mine', 'sh', '-c', 'echo new; echo err >&2')
  assert.equal(miss.stdout, 'new\n')
  assert.match(miss.stderr, /: executed: command changed: was sh -c echo out.* is sh -c echo new; echo err >&2\nerr\n$/)
  assert.equal(
    (
      await play(`$B run $c sh -c 'echo out; echo err >&2; echo x >/made'
    $B run $c sh -c 'echo new; echo err >&2'`)
    ).states,
    'cached cached',
  )
})

const always: Readonly<Record<string, { script: string; states: string; why: RegExp }>> = {
  'what reads its standard input': {
    script: 'echo said | $B run $c cat',
    states: 'executed executed',
    why: /its standard input may bring anything/,
  },
  'what can write to a folder of this machine': {
    script: '$B run -v $PWD:/out $c true',
    states: 'executed executed',
    why: /it can write to a folder of this machine: \/.*:\/out; end it in :ro/,
  },
  'what failed': {
    script: '$B run $c sh -c "exit 3" || true',
    states: 'executed not kept executed not kept',
    why: /exit code was 3/,
  },
  'what printed more than a megabyte': {
    script: `$B run $c sh -c 'i=0; while [ $i -lt 11000 ]; do i=$((i+1)); printf "%0100d\\n" 0; done' >/dev/null`,
    states: 'executed not kept executed not kept',
    why: /more than 1 MiB/,
  },
  'what printed bytes that are no text': {
    script: `$B run $c printf '\\377' >/dev/null`,
    states: 'executed not kept executed not kept',
    why: /no UTF-8/,
  },
}
for (const [title, { script, states, why }] of Object.entries(always))
  test(`${title} is executed every time`, limit, async (t) => {
    const { play } = await scene(t)
    const first = await play(script)
    const second = await play(script)
    assert.equal(`${first.states} ${second.states}`, states)
    assert.match(second.stderr, why)
    assert.equal(second.stdout, first.stdout)
  })

test('after what is not kept, what follows is known again', limit, async (t) => {
  const { play } = await scene(t)
  const script = `echo same | SOURCE_DATE_EPOCH=1 $B run $c sh -c 'cat >/said'
    $B run $c cat /said`
  await play(script)
  assert.equal((await play(script)).states, 'executed cached')
})

test('a folder that a run only reads counts by its content', limit, async (t) => {
  const { play, src } = await scene(t)
  const script = `$B run -v $PWD/site:/in:ro $c cat /in/index
    $B run --mount type=bind,src=site,dst=/in $c cat /in/index
    $B run --mount type=bind,from=base,src=/usr/bin,dst=/in $c test -e /in/cat`
  await play(script)
  assert.equal((await play(script)).states, 'cached cached cached')
  writeFileSync(join(src, 'site/index'), 'other')
  const changed = await play(script)
  assert.equal(changed.states, 'executed executed cached')
  assert.equal(changed.stdout, 'otherother')
  assert.match(changed.stderr, /mounts changed/)
})

const changes: Readonly<Record<string, readonly [string, string, RegExp]>> = {
  environment: ['$B run -e A=1 $c true', '$B run -e A=2 $c true', /env changed: was A=\(sha256:\w+\), is A=/],
  configuration: ['$B config --env B=1 $c; $B run $c true', '$B run $c true', /env changed: was B=/],
  user: ['$B run --user 5 $c true', '$B run --user 6 $c true', /user changed: was 5, is 6/],
  folder: ['$B run --workingdir /usr $c true', '$B run $c true', /workingdir changed: was \/usr, is \//],
  destination: ['$B copy -q $c other /a', '$B copy -q $c other /b', /destination changed: was \/a, is \/b/],
  owner: ['$B copy -q --chown 1 $c other /a', '$B copy -q $c other /a', /chown changed: was 1, is nothing/],
  kind: ['$B copy -q $c other /a', '$B add -q $c other /a', /nothing like it is kept/],
}
for (const [what, [one, other, why]] of Object.entries(changes))
  test(`another ${what} is another step`, limit, async (t) => {
    const { play } = await scene(t)
    await play(one)
    const second = await play(other)
    assert.equal(second.states, 'executed')
    assert.match(second.stderr, why)
    assert.equal((await play(one)).states, 'cached')
  })

test('a label changes no step', limit, async (t) => {
  const { play } = await scene(t)
  await play('$B run $c true')
  assert.equal((await play('$B config --label a=b --cmd x --port 80 $c; $B run $c true')).states, 'cached')
})

test('a mount makes the state unknown until the next commit', limit, async (t) => {
  const { play } = await scene(t)
  const script = `m=$($B mount $c); echo x >$m/mine; $B umount $c >/dev/null
    $B run $c cat /mine
    SOURCE_DATE_EPOCH=1 $B commit $c web >/dev/null
    $B run $c cat /mine`
  const first = await play(script)
  assert.match(first.told[0] ?? '', /executed: its container was changed by other means than steps; a commit makes/)
  const second = await play(script)
  assert.equal(second.states, 'executed cached')
  assert.equal(second.stdout, 'x\nx\n')
})

test('a copy from another container is known by its layers, and else by its content', limit, async (t) => {
  const { play } = await scene(t)
  const script = `a=$($B from --layers base)
    $B copy -q $a site/ /site/
    $B copy -q $a other /$WHAT
    $B copy -q --from $a $c /site/ /srv/`
  await play(script, { WHAT: 'x' })
  assert.equal((await play(script, { WHAT: 'x' })).states, 'cached cached cached')
  assert.equal((await play(script, { WHAT: 'y' })).states, 'cached executed cached')
})

test('archives and what is added are steps too', limit, async (t) => {
  const { play, src } = await scene(t)
  const script =
    'tar cf a.tar site; $B add -q $c a.tar /un; $B add -q --no-unpack $c a.tar /; $B run $c ls /un/site /a.tar'
  const first = await play(`touch -d @1 site site/index; ${script}`)
  const second = await play(script)
  assert.equal(second.states, 'cached cached cached')
  assert.equal(second.stdout, first.stdout)
  writeFileSync(join(src, 'site/more'), '')
  assert.equal((await play(script)).states, 'executed executed executed')
})

test('--no-cache executes all, and keeps it', limit, async (t) => {
  const { play } = await scene(t)
  const script =
    'n=$($B from --layers --no-cache --explain base); $B run $n sh -c "echo a >/a"; $B run $c sh -c "echo a >/a"'
  await play(script)
  const second = await play(script)
  assert.equal(second.states, 'executed cached')
  assert.match(second.stderr, /takes nothing from the cache/)
})

test('verbs side by side in one container are executed, and none is kept for what another did', limit, async (t) => {
  const { play } = await scene(t)
  const script = `$B run $c sh -c 'until test -e /b; do sleep 0.01; done; echo a >/a' & $B run $c sh -c 'echo b >/b'; wait`
  const first = await play(script)
  assert.equal(first.states, 'executed executed')
  const { states } = await play(script)
  assert.doesNotMatch(states, /cached.*cached/)
})

test('without --explain nothing is said, and a container without --layers knows no steps', limit, async (t) => {
  const { play, store } = await scene(t)
  const said = await play('$B run $c true', { BUILDER_EXPLAIN: '' })
  assert.deepEqual(said.told, [])
  const before = readdirSync(join(store, 'root/cache/steps')).length
  assert.deepEqual((await play('d=$($B from base); $B run $d sh -c "echo x >/x"')).told, [])
  assert.equal(readdirSync(join(store, 'root/cache/steps')).length, before)
})

test('the history tells each step', limit, async (t) => {
  const { play, store } = await scene(t)
  await play('$B copy -q $c other /a; $B run $c sh -c "echo b >/b"; $B commit $c web')
  const { stdout } = await builder(['history', '--json', 'web'], { store })
  const told = (JSON.parse(stdout) as { createdBy?: string; CreatedBy?: string }[]).map(
    (it) => it.createdBy ?? it.CreatedBy,
  )
  assert.equal(told.filter((text) => text === 'sh -c echo b >/b').length, 1)
  assert.ok(told.some((text) => /#\(nop\) COPY sha256:\w+ in \/a$/.test(text ?? '')))
})

test('a run that is stopped leaves a whole store, and nothing in the cache', limit, async (t) => {
  const { play, store } = await scene(t)
  await play(`$B run $c sh -c 'echo x >/x; echo here; sleep 60' >$PWD/log & p=$!
    until grep -q here $PWD/log; do sleep 0.02; done
    kill $p; wait $p || true
    $B rm $c >/dev/null`)
  const steps = join(store, 'root/cache/steps')
  const kept = readdirSync(steps).map((name) => readFileSync(join(steps, name), 'utf8'))
  assert.deepEqual(
    kept.filter((text) => text.includes('sleep 60')),
    [],
  )
  assert.equal((await builder(['check'], { store })).code, 0)
})

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { furnished, inSession } from '../bin/in-session.js'
import { builder, tempDir } from '../lane.js'

/** What one script of a case printed, and what became of its steps. */
interface Played {
  readonly stdout: string
  readonly stderr: string
  /** What was said of steps, a line each. */
  readonly told: readonly string[]
  /** `executed`, `cached`, `not kept`, in their order. */
  readonly states: string
}

/** Scripts that are played one after the other, each with a new container `$c`, in a folder with `site/index` and `other`. */
interface Case {
  readonly scripts: readonly string[]
  check(...played: Played[]): void
}

const recipe = `
$B copy -q $c site/ /srv/
$B run $c sh -c 'echo out; echo err >&2; cat /srv/index >/made'
$B copy -q $c other /other
v=$($B run $c cat /made)
$B config --label v=$v $c
$B commit $c web`

const edited = 'echo hullo >site/index; printf hello >site/index; touch other\n'
const unkept = `echo same | SOURCE_DATE_EPOCH=1 $B run $c sh -c 'cat >/said'
$B run $c cat /said`
const reading = `$B run -v $PWD/site:/in:ro $c cat /in/index
$B run --mount type=bind,src=site,dst=/in $c cat /in/index
$B run --mount type=bind,from=base,src=/usr/bin,dst=/in $c test -e /in/cat`
const mounting = `m=$($B mount $c); echo x >$m/mine; $B umount $c >/dev/null
$B run $c cat /mine
SOURCE_DATE_EPOCH=1 $B commit $c web >/dev/null
$B run $c cat /mine`
const archives = `tar cf a.tar site; $B add -q $c a.tar /un; $B add -q --no-unpack $c a.tar /
$B run $c ls /un/site /a.tar`
const closure = '$B copy -q --closure $c /usr/bin/env'
const fresh = `n=$($B from --layers --no-cache $base)
$B run $n sh -c 'echo a >/a'; $B run $c sh -c 'echo a >/a'`
const beside = `$B run $c sh -c 'until test -e /b; do sleep 0.01; done; echo a >/a' & $B run $c sh -c 'echo b >/b'; wait`
const kept = 'ls $BUILDER_ROOT/cache/steps | wc -l'

/** The last line of a script copies from a container that has one file beside the one that is copied. */
function fromOther(file: string): string {
  return `a=$($B from --layers base)
    $B copy -q $a site/ /site/
    $B copy -q $a other /${file}
    $B copy -q --from $a $c /site/ /srv/`
}

const cases: Readonly<Record<string, Case>> = {
  'the same recipe again executes nothing, prints the same, and gives the same image': {
    scripts: [recipe, recipe, edited + recipe],
    check(first, ...others) {
      assert.equal(first.states, 'executed executed executed executed')
      for (const again of others) {
        assert.equal(again.states, 'cached cached cached cached')
        assert.equal(again.stdout, first.stdout)
        assert.deepEqual(again.stderr.match(/^err$/gm), ['err'])
      }
    },
  },
  'a changed file executes what follows it, and nothing before': {
    scripts: [recipe, `printf changed >other\n${recipe}`],
    check(_, { states, told }) {
      assert.equal(states, 'cached cached executed executed')
      assert.match(told[2] ?? '', /copy other \/other: executed: sources changed: was sha256:\w+, is sha256:\w+$/)
      assert.match(told[3] ?? '', /run cat \/made: executed: what it stands on changed$/)
    },
  },
  'after what is not kept, what follows is known again': {
    scripts: [unkept, unkept],
    check: (_, { states }) => assert.equal(states, 'executed cached'),
  },
  'a folder that a run only reads counts by its content': {
    scripts: [reading, reading, `printf other >site/index\n${reading}`],
    check(_, second, third) {
      assert.equal(second.states, 'cached cached cached')
      assert.equal(third.states, 'executed executed cached')
      assert.equal(third.stdout, 'otherother')
      assert.match(third.stderr, /mounts changed/)
    },
  },
  'a label changes no step': {
    scripts: ['$B run $c true', '$B config --label a=b --cmd x --port 80 $c; $B run $c true'],
    check: (_, { states }) => assert.equal(states, 'cached'),
  },
  'a mount makes the state unknown until the next commit': {
    scripts: [mounting, mounting],
    check({ told }, { states, stdout }) {
      assert.match(told[0] ?? '', /executed: its container was changed by other means than steps; a commit makes/)
      assert.equal(states, 'executed cached')
      assert.equal(stdout, 'x\nx\n')
    },
  },
  'a copy from another container is known by its layers, and else by its content': {
    scripts: [fromOther('x'), fromOther('x'), fromOther('y')],
    check(_, second, third) {
      assert.equal(second.states, 'cached cached cached')
      assert.equal(third.states, 'cached executed cached')
    },
  },
  'archives and what is added are steps too': {
    scripts: [`touch -d @1 site site/index; ${archives}`, archives, `touch site/more; ${archives}`],
    check(first, second, third) {
      assert.equal(second.states, 'cached cached cached')
      assert.equal(second.stdout, first.stdout)
      assert.equal(third.states, 'executed executed executed')
    },
  },
  'programs with their libraries are a step': {
    scripts: [closure, closure],
    check: (_, { states }) => assert.equal(states, 'cached'),
  },
  '--no-cache executes all, and keeps it': {
    scripts: [fresh, fresh],
    check(_, { states, stderr }) {
      assert.equal(states, 'executed cached')
      assert.match(stderr, /takes nothing from the cache/)
    },
  },
  'verbs side by side in one container are executed, and none is kept for what another did': {
    scripts: [beside, beside],
    check(first, second) {
      assert.equal(first.states, 'executed executed')
      assert.doesNotMatch(second.states, /cached.*cached/)
    },
  },
  'nothing is said unless it is asked for': {
    scripts: [
      'BUILDER_EXPLAIN= $B run $c true',
      'unset BUILDER_EXPLAIN; d=$($B from --layers --explain $base); $B run $d true',
    ],
    check(quiet, loud) {
      assert.deepEqual(quiet.told, [])
      assert.equal(loud.states, 'cached')
    },
  },
  'a container without --layers has no steps': {
    scripts: [`${kept}; d=$($B from base); $B run $d sh -c 'echo x >/x'; $B copy -q $d other /other; ${kept}`],
    check({ told, stdout }) {
      assert.deepEqual(told, [])
      assert.match(stdout, /^(\d+)\n\1\n$/)
    },
  },
  'the history tells each step': {
    scripts: [
      `$B copy -q $c other /a; $B run $c sh -c 'echo b >/b'; $B commit $c web >/dev/null
      $B inspect --type image --format '{{range .OCIv1.History}}{{println .CreatedBy}}{{end}}' web`,
    ],
    check: ({ stdout }) => assert.match(stdout, /#\(nop\) COPY sha256:\w+ in \/a\nsh -c echo b >\/b\n+$/),
  },
}

// What the engine says after a command has ended may come when the script is further.
const waiting = '; $B rm $c >/dev/null'
const long = `sh -c 'i=0; while [ $i -lt 1100 ]; do i=$((i+1)); printf "%01000d\\n" 0; done'`
const always: Readonly<Record<string, readonly [script: string, states: string, why: RegExp]>> = {
  'what reads its standard input': ['echo said | $B run $c cat', 'executed', /its standard input may bring anything/],
  'what can write to a folder of this machine': [
    '$B run -v $PWD:/out $c true',
    'executed',
    /it can write to a folder of this machine: \/.*:\/out; end it in :ro/,
  ],
  'what failed': ['$B run $c sh -c "exit 3" || true', 'executed not kept', /exit code was 3/],
  'what printed more than a megabyte': [`$B run $c ${long} >/dev/null`, 'executed not kept', /more than 1 MiB/],
  'what printed bytes that are no text': [`$B run $c printf '\\377' >/dev/null`, 'executed not kept', /no UTF-8/],
}

const changes: Readonly<Record<string, readonly [one: string, other: string, why: RegExp]>> = {
  environment: ['$B run -e A=1 $c true', '$B run -e A=2 $c true', /env changed: was A=\(sha256:\w+\), is A=/],
  configuration: ['$B config --env B=1 $c; $B run $c true', '$B run $c true', /env changed: was B=/],
  user: ['$B run --user 5 $c true', '$B run --user 6 $c true', /user changed: was 5, is 6/],
  folder: ['$B run --workingdir /usr $c true', '$B run $c true', /workingdir changed: was \/usr, is \//],
  destination: ['$B copy -q $c other /a', '$B copy -q $c other /b', /destination changed: was \/a, is \/b/],
  owner: ['$B copy -q --chown 1 $c other /a', '$B copy -q $c other /a', /chown changed: was 1, is nothing/],
  kind: ['$B copy -q $c other /a', '$B add -q $c other /a', /nothing like it is kept/],
  time: ['SOURCE_DATE_EPOCH=5 $B copy -q $c other /a', '$B copy -q $c other /a', /epoch changed: was 5, is nothing/],
}

const all: Readonly<Record<string, Case>> = {
  ...cases,
  ...named(always, ([title, [script, states, why]]) => ({
    title: `${title} is executed every time`,
    scripts: [script + waiting, script + waiting],
    check(first, second) {
      assert.deepEqual([first.states, second.states], [states, states])
      assert.match(second.stderr, why)
      assert.equal(second.stdout, first.stdout)
    },
  })),
  ...named(changes, ([what, [one, other, why]]) => ({
    title: `another ${what} is another step`,
    scripts: [one, other, one],
    check(_, second, third) {
      assert.deepEqual([second.states, third.states], ['executed', 'cached'])
      assert.match(second.stderr, why)
    },
  })),
}

function named<T>(table: Readonly<Record<string, T>>, make: (entry: [string, T]) => Case & { readonly title: string }) {
  return Object.fromEntries(Object.entries(table).map((entry) => [make(entry).title, make(entry)]))
}

const file = { after } as unknown as TestContext
const store = await furnished(file)
const folder = tempDir(file)
const played = new Map<string, Played[]>()

/** A session for all of them: each case begins with an image and a folder of its own, so that none knows the steps of another. */
before(async () => {
  const parts = Object.entries(all).flatMap(([title, { scripts }], i) => {
    const base = `$B from --name n${i} base >/dev/null; echo ${i} >mark; $B copy -q n${i} mark /; $B commit --rm n${i} base${i} >/dev/null`
    const setting = `mkdir -p ${i}/site; cd ${i}; printf hello >site/index; printf other >other; ${base}`
    const plays = scripts.map(
      (script) => `(set -e; c=$($B from --layers base${i}); base=base${i}\n${script}) </dev/null
      code=$?; echo ==; echo == >&2; [ $code = 0 ] || { echo "${title}: $code" >&2; exit 1; }`,
    )
    return [setting, ...plays, 'cd ..']
  })
  const script = `$B commit c base >/dev/null\n${parts.join('\n')}`
  const ran = await inSession(file, script, { store, cwd: folder, env: { BUILDER_EXPLAIN: '1' } })
  assert.equal(ran.code, 0, ran.stderr)
  const [outputs, errors] = [ran.stdout.split('==\n'), ran.stderr.split('==\n')]
  let next = 0
  for (const [title, { scripts }] of Object.entries(all))
    played.set(
      title,
      scripts.map(() => playedOf(outputs[next] ?? '', errors[next++] ?? '')),
    )
})

function playedOf(stdout: string, stderr: string): Played {
  const told = stderr.split('\n').filter((line) => line.startsWith('builder: '))
  const states = told.flatMap((line) => /: (cached|executed|not kept)/.exec(line)?.[1] ?? []).join(' ')
  return { stdout, stderr, told, states }
}

for (const [title, { check }] of Object.entries(all)) test(title, () => check(...(played.get(title) ?? [])))

test('verbs outside a session use the same steps', async (t) => {
  const src = tempDir(t)
  mkdirSync(join(src, 'site'))
  writeFileSync(join(src, 'site/index'), 'cold')
  const cold = (...words: string[]) => builder(words, { store, cwd: src, env: { BUILDER_EXPLAIN: '1' }, input: '' })
  for (const state of [/: executed: .*\n$/, /: cached\n$/]) {
    await cold('from', '--layers', '--name', 'mine', 'base')
    assert.match((await cold('copy', '-q', 'mine', 'site/', '/srv/')).stderr, state)
    const { stdout, stderr } = await cold('run', 'mine', 'sh', '-c', 'cat /srv/index; echo err >&2')
    assert.match(stderr.replace(/err\n$/, ''), state)
    assert.equal(stdout, 'cold')
    await cold('rm', 'mine')
  }
})

test('a run that is stopped leaves a whole store, and nothing in the cache', async (t) => {
  const script = `c=$($B from --layers base)
    $B run $c sh -c 'echo x >/x; echo here; sleep 60' >log </dev/null & p=$!
    until grep -q here log; do sleep 0.02; done
    kill $p; wait $p
    $B rm $c >/dev/null`
  await inSession(t, script, { store, cwd: tempDir(t) })
  const steps = join(store, 'root/cache/steps')
  const texts = existsSync(steps) ? readdirSync(steps).map((name) => readFileSync(join(steps, name)).toString()) : []
  assert.deepEqual(
    texts.filter((text) => text.includes('sleep 60')),
    [],
  )
  const checked = await builder(['check'], { store })
  assert.equal(checked.code, 0, checked.stdout)
})

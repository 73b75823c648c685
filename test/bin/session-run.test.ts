import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { needs } from '../lane.js'
import { eventually, furnished, inSession, inTerminal, limit } from './in-session.js'

const isolations = [
  ['oci', 'crun'],
  ['oci', 'runc'],
  ['chroot', 'unshare'],
] as const

/** What is left of runs in a script's store: files of theirs, mounts, processes of the containers. */
const left = `left() { echo "$(find "$BUILDER_RUNROOT" -path '*/runs/*' | wc -l) files," \\
  "$(grep -c "$BUILDER_ROOT" /proc/self/mountinfo) mounts, $(pgrep -xfc "sleep $N") processes"; }`
const nothing = '0 files, 0 mounts, 0 processes\n'

for (const [isolation, program] of isolations)
  for (const terminal of [false, true])
    test(
      `${isolation} by ${program}${terminal ? ', -t' : ''}: a child of the script, in its session, its cgroup, its name`,
      limit,
      async (t) => {
        if (!needs(t, program, 'script')) return
        const store = await furnished(t)
        const word = `${100_000 + process.pid}${terminal ? 1 : 0}`
        const flags = `--isolation ${isolation} ${program === 'unshare' ? '' : `--runtime ${program}`} ${terminal ? '-t' : ''}`
        const ended = inTerminal(t, `"$B" run ${flags} c -- sleep ${word}; echo "code $?"`, { store })
        await eventually(() => withWords(`sleep ${word}`) !== undefined, 'the command')
        const command = withWords(`sleep ${word}`) as Process
        const line = ancestors(command)
        const script = line.findIndex(({ words }) => words.startsWith('sh -c export BUILDER_MAIN='))
        const [shell, runner] = [line[script] as Process, line[script - 1] as Process]
        process.kill(command.pid, 'SIGKILL')
        assert.match(await ended, /code 137\r\n$/)
        assert.match(runner.words, new RegExp(`^\\S*${program} `))
        for (const one of [command, ...line.slice(0, script)]) {
          assert.doesNotMatch(one.words, /session-main|start\.cjs/)
          assert.equal(one.loginuid, shell.loginuid, one.words)
          // runc has no way not to make one.
          if (program !== 'runc' || one === runner) assert.equal(one.cgroup, shell.cgroup, one.words)
        }
        const { session, group, tty, foreground } = runner
        assert.deepEqual([session, group, tty], [shell.session, shell.group, shell.tty])
        assert.equal(foreground, group)
        assert.notEqual(tty, 0)
        // A runtime gives a container without -t no terminal, and one with -t a new one that it relays.
        if (isolation === 'chroot') assert.deepEqual([command.session, command.tty], [session, tty])
        else assert.deepEqual([command.session === session, command.tty !== 0], [false, terminal])
      },
    )

interface Process {
  readonly pid: number
  readonly words: string
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly tty: number
  /** The process group that has the terminal. */
  readonly foreground: number
  readonly cgroup: string
  readonly loginuid: string
}

function withWords(words: string): Process | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map((pid) => processOf(Number(pid))).find((one) => one?.words === words)
}

/** The process's parent first. */
function ancestors(one: Process): Process[] {
  const parent = processOf(one.parent)
  return parent ? [parent, ...ancestors(parent)] : []
}

/** Source: proc(5), /proc/PID/stat. */
function processOf(pid: number): Process | undefined {
  try {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1')
    const [, parent, group, session, tty, foreground] = read('stat')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number)
    const words = read('cmdline').replaceAll('\0', ' ').trim()
    return {
      pid,
      words,
      parent,
      group,
      session,
      tty,
      foreground,
      cgroup: read('cgroup'),
      loginuid: read('loginuid'),
    } as Process
  } catch {
    return undefined
  }
}

for (const [isolation, program] of isolations)
  test(`${isolation} by ${program}: no descriptor of the session is in the container`, limit, async (t) => {
    if (!needs(t, program)) return
    const flags = `--isolation ${isolation} ${program === 'unshare' ? '' : `--runtime ${program}`}`
    const run = `"$B" run ${flags} c -- ls /proc/self/fd`
    const script = `exec 3<&- 4<&-; ${run}; echo; ${run} 3<"$B" 5<"$B" 6<"$B" 7<"$B" 8<"$B" 9<"$B"`
    const ran = await inSession(t, script, { store: await furnished(t) })
    // ls has the folder open itself. What else the tests were started with is above.
    const low = ran.stdout.split('\n').filter((name) => !/^\d\d/.test(name))
    assert.deepEqual([low.join(' '), ran.stderr], ['0 1 2 3  0 1 2 3 ', ''])
  })

const codes: readonly (readonly [string, string, number])[] = [
  ['c -- true', '0', 0],
  ["c -- sh -c 'exit 7'", '7', 7],
  ["c -- sh -c 'exit 255'", '255', 255],
  ['c -- sh -c \'sh -c "kill -TERM \\$\\$"\'', 'SIGTERM', 143],
  ['c -- sh -c \'sh -c "kill -KILL \\$\\$"; exit $?\'', 'SIGKILL', 137],
  ["--valid-exit-codes 7 c -- sh -c 'exit 7'", '7, which is as good as 0', 0],
  ["--valid-exit-codes 7,8 c -- sh -c 'exit 9'", '9, which is not', 9],
  ['--valid-exit-codes 7 c -- true', '0, which always is', 0],
  ['c -- nowhere', 'a program that is not there', 127],
  ['c -- /usr', 'a folder', 126],
]
for (const isolation of ['oci', 'chroot'])
  test(`${isolation}: the command's exit code is the verb's`, limit, async (t) => {
    const script = codes.map(([words]) => `"$B" run --isolation ${isolation} ${words} 2>/dev/null; echo $?`).join('\n')
    const ran = await inSession(t, script, { store: await furnished(t) })
    const given = ran.stdout.trim().split('\n').map(Number)
    assert.deepEqual(
      given.map((code, i) => [codes[i]?.[1], code]),
      codes.map(([, name, code]) => [name, code]),
    )
  })

const ends: readonly (readonly [string, string])[] = [
  ['the command ended', '"$B" run c -- true'],
  ['the command failed', '"$B" run c -- false'],
  ['it could not be started', '"$B" run c -- nowhere 2>/dev/null'],
  ['the runtime was killed', '"$B" run c -- sleep $N & sleep 0.7; kill -9 $!; wait'],
  ['the chroot was killed', '"$B" run --isolation chroot c -- sleep $N & sleep 0.7; kill -9 $!; wait'],
  [
    'the launcher was killed at any moment',
    `for d in 0 0.003 0.006 0.01 0.015 0.02 0.03 0.05 0.08 0.1 0.15; do
       "$B" run c -- sleep $N & sleep $d; kill -9 $!; wait; done 2>/dev/null`,
  ],
]
for (const [name, script] of ends)
  test(`nothing is left before the next verb answers: ${name}`, limit, async (t) => {
    const store = await furnished(t)
    const all = `N=${process.pid}0007; ${left}; ${script}; "$B" inspect --format '{{.Container}}' c; left; "$B" check`
    const ran = await inSession(t, all, { store })
    assert.equal(ran.stdout.slice(0, `c\n${nothing}`.length), `c\n${nothing}`, ran.stderr)
    assert.equal(ran.code, 0)
  })

for (const victims of ['the engine', 'the engine and the runtime', 'the runtime and the engine'])
  test(`nothing is left after the next run: kill -9 of ${victims}`, limit, async (t) => {
    const store = await furnished(t)
    const kill = { e: 'kill -9 "$(basename "$BUILDER_SESSION")"', r: 'kill -9 $!' }
    const killed = victims.split(' and ').map((one) => (one === 'the engine' ? kill.e : kill.r))
    const script = `N=${process.pid}0008; ${left}; unset BUILDER_MAIN
      "$B" run c -- sleep $N & sleep 0.7; left; ${killed.join('; ')}; sleep 0.1
      "$B" run c -- printf 'again\\n'; wait 2>/dev/null; left; "$B" check >/dev/null`
    const ran = await inSession(t, script, { store })
    const [before, ...after] = ran.stdout.split(/(?<=\n)/)
    assert.match(before as string, /^[1-9]\d* files, [1-9]\d* mounts, 1 processes\n$/)
    assert.deepEqual([after, ran.code], [['again\n', nothing], 0], ran.stderr)
  })

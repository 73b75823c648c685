// biome-ignore-all lint/suspicious/noTemplateCurlyInString: labels have variables
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { builder, tempDir } from '../lane.js'
import { labelled, once, without } from './labelled.js'

/** What is wrong, the label (in which @ is the folder where a canary would appear), and the message that a user sees. */
const wrongLabels: readonly (readonly [title: string, label: string, message: RegExp])[] = [
  [
    "a ' that is not closed",
    "touch @/canary 'x",
    /^builder: runlabel label run: a ' is not closed: character \d+, .*; close the quote\n$/,
  ],
  ['a " that is not closed', 'touch @/canary "x', /a " is not closed/],
  ['a \\ at the end', 'touch @/canary\\', /a \\ at the end quotes nothing/],
  [
    '$(…)',
    'echo $(touch @/canary)',
    /no shell reads a label, and \$\( asks a shell to execute a command: .*; quote it, or name a shell: sh -c '…'\n$/,
  ],
  ['$(…) in "…"', 'echo "$(touch @/canary)"', /\$\( asks a shell/],
  ['$(…) in a default', 'echo ${OPT1:-$(touch @/canary)}', /\$\( asks a shell/],
  ['backticks', 'echo `touch @/canary`', /a ` asks a shell to execute a command/],
  ['backticks in "…"', 'echo "`touch @/canary`"', /a ` asks a shell/],
  [';', 'true; touch @/canary', /a ; separates two commands/],
  ['|', 'true | touch @/canary', /a \| connects two commands/],
  ['&&', 'true && touch @/canary', /an & separates two commands/],
  ['&', 'touch @/canary & true', /an & separates two commands/],
  ['>', 'true > @/canary', /a > redirects output/],
  ['( … )', '(touch @/canary)', /a bracket groups commands/],
  ['a second line', 'true\ntouch @/canary', /a second line is a second command/],
  ['NUL', 'touch @/canary\0x', /it holds a NUL byte; no command line can hold one/],
  ['a carriage return', 'true\r\ntouch @/canary', /it holds the control character \\x0d at character 5/],
  [
    'an escape sequence',
    'touch \u001b[2K@/canary',
    /the control character \\x1b at character 7; take it out: a terminal would obey it/,
  ],
  [
    '1 MB',
    `touch @/canary ${'x'.repeat(1 << 20)}`,
    /it is 10\d{5} bytes long, more than the 131072 that a command line may have/,
  ],
  ['an unknown flag', 'podman run --run-me @/canary IMAGE', /"--run-me": there is no such flag/],
  [
    'a flag that builder cannot honour',
    'podman run --pod x IMAGE',
    /"--pod": builder cannot honour this flag; leave it out, or .* --engine podman/,
  ],
  ['a flag without its value', 'podman run --name', /"--name": its value is missing/],
  ['no image', 'podman run --rm', /the image is missing/],
  ['an image that begins with a dash', 'podman run -- -IMAGE', /"-IMAGE": an image cannot begin with a dash/],
  ['a flag that turns the direction of writing', 'podman run --\u202ex IMAGE', /"--\\u202ex": there is no such flag/],
  ['no words', '  ', /it has no words; give the label a command/],
  ['quotes with nothing', '"$OPT1"', /its first word is empty; begin with a program/],
  [
    'a variable in front',
    'PATH=@ touch @/canary',
    /it begins with a variable, which a shell would set; begin with env/,
  ],
  [
    'a variable that nobody knows',
    'touch @/canary $WHAT',
    /\$WHAT: there is no such variable; a label knows IMAGE, NAME, OPT1/,
  ],
  ['a program that is not there', '@/no-such-program x', /no-such-program: this program is not on this machine/],
  [
    'a label that calls another one',
    'builder runlabel --yes touch web',
    /runlabel: what one label asks for is no answer/,
  ],
  [
    'a command of podman that builder does not have',
    'podman exec NAME touch @/canary',
    /podman exec: builder does not have this command; .*--engine podman/,
  ],
]

describe('a label that cannot be executed says why, and nothing is executed', { concurrency: 2 }, () => {
  const scene = once(async (t) => {
    const place = tempDir(t)
    const labels = wrongLabels.map(([, label], i) => [`bad-${i}`, label.replaceAll('@', place)] as const)
    return { place, ...(await labelled(t, Object.fromEntries(labels))) }
  })

  for (const [i, [title, , message]] of wrongLabels.entries())
    it(title, async () => {
      const { place, store } = scene()
      const ran = await builder(['runlabel', '--yes', `bad-${i}`, 'web'], { store, env: without(store) })
      assert.deepEqual([ran.code, ran.stdout], [125, ''])
      assert.match(ran.stderr.replaceAll(`bad-${i}`, 'run'), message)
      assert.ok(ran.stderr.length < 2000, 'a message, not the label')
      assert.deepEqual(readdirSync(place), [])
    })
})

/** Words of the command line that are wrong. */
const wrongWords: readonly (readonly [title: string, words: readonly string[], message: RegExp])[] = [
  ['an IMAGE that begins with a dash', ['run', '-web'], /^builder: runlabel -web: there is no such flag/],
  ['an IMAGE that begins with a dash, behind --', ['--', 'run', '-web'], /-web: there is no such image in the store/],
  ['a flag for the command', ['touch', 'web', '-l'], /runlabel -l: there is no such flag; write -- before words that/],
  ['no IMAGE', [], /^builder: runlabel IMAGE: it is missing/],
  ['an IMAGE that is not there', ['--pull=never', 'run', 'nowhere'], /nowhere: there is no such image in the store/],
  [
    'a label that is not there',
    ['rnu', 'web'],
    /^builder: find label rnu: web has only RUN, Stop, stop, touch; did you mean RUN\?\n$/,
  ],
  [
    'labels that differ in case alone',
    ['STOP', 'web'],
    /STOP: web has several that differ in case: Stop, stop; spell the one that is meant/,
  ],
  ['a NAME with ../', ['--name', '../x', 'touch', 'web'], /--name "\.\.\/x": a container cannot have this name/],
  ['a NAME that is a flag', ['--name=--privileged', 'touch', 'web'], /a container cannot have this name/],
  ['an empty NAME', ['--name=', 'touch', 'web'], /a container cannot have this name/],
  [
    'an OPT that would be a flag',
    ['--opt1=--reference=x', 'touch', 'web'],
    /\$OPT1: its value "--reference=x" would become a flag; write the flag itself into the label/,
  ],
  ['an engine that nobody knows', ['--engine=lxc', 'touch', 'web'], /"lxc"/],
  ['a password on the command line', ['--pull', '--creds=a:b', 'touch', 'web'], /--creds: there is no such flag/],
  ['--replace for a program', ['--replace', 'touch', 'web'], /--replace: the label gives no container a name/],
]

describe('words that are wrong execute nothing', { concurrency: 2 }, () => {
  const scene = once(async (t) => {
    const place = tempDir(t)
    const touch = `touch ${place}/canary $OPT1`
    return { place, ...(await labelled(t, { RUN: `touch ${place}/canary`, Stop: 'true', stop: 'true', touch })) }
  })

  for (const [title, words, message] of wrongWords)
    it(title, async () => {
      const { place, store } = scene()
      const ran = await builder(['runlabel', '--yes', ...words], { store, env: without(store) })
      assert.equal(ran.code, 125, ran.stderr)
      assert.match(ran.stderr, message)
      assert.deepEqual(readdirSync(place), [])
    })
})

/** A value that a shell would take apart, each in a label that runs a program and in one that names a shell. */
const hostile = [
  'a b',
  "it's",
  '"x" y',
  '; touch @/canary',
  '$(touch @/canary)',
  '`touch @/canary`',
  '\n touch @/canary',
  '* ~ $HOME',
]

describe('a value is one word, whatever it holds', { concurrency: 2 }, () => {
  const scene = once(async (t) => {
    const shell = `sh -c 'printf "[%s]" "x$OPT1"'`
    return {
      place: tempDir(t),
      ...(await labelled(t, { run: 'printf [%s] x"$OPT1"', shell, bad: 'sh -c "echo $OPT1"' })),
    }
  })

  for (const value of hostile)
    it(JSON.stringify(value), async () => {
      const { place, store } = scene()
      const given = value.replaceAll('@', place)
      const say = (label: string) =>
        builder(['runlabel', '--yes', '--opt1', given, label, 'web'], { store, env: without(store) })
      for (const label of ['run', 'shell']) {
        const ran = await say(label)
        assert.deepEqual([ran.stdout, ran.code], [`[x${given}]`, 0], ran.stderr)
        assert.doesNotMatch(ran.stderr, /warning/, 'a shell takes it from the environment')
      }
      const message =
        /\$OPT1: its value .* would be read as a part of the script that it stands in; write the script in '…'/
      assert.match((await say('bad')).stderr, message)
      assert.deepEqual(readdirSync(place), [])
    })
})

import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Ask } from '../../sdk/index.js'
import { decide, parsePolicy } from '../../sdk/runlabel/policy.js'
import { builder, tempDir } from '../lane.js'
import { labelled, once } from './labelled.js'

const digest = `sha256:${'1'.repeat(64)}`
const network: Ask = { kind: 'host-network', text: '' }
const write: Ask = { kind: 'host-path-write', object: '/srv/data', text: '' }
const read: Ask = { ...write, kind: 'host-path-read' }

/** Rules, what is asked for, and the verdict. */
const verdicts: readonly (readonly [title: string, rules: readonly object[], asks: readonly Ask[], verdict: string])[] =
  [
    ['no rule: ask', [], [network], 'ask'],
    ['all that is asked for is allowed', [{ verdict: 'allow', asks: ['host-network'] }], [network], 'allow'],
    ['one thing is not', [{ verdict: 'allow', asks: ['host-network'] }], [network, write], 'ask'],
    ['nothing is allowed and nothing asked', [{ verdict: 'allow', asks: [] }], [], 'allow'],
    ['nothing is allowed and something asked', [{ verdict: 'allow', asks: [] }], [network], 'ask'],
    ['anything is allowed', [{ verdict: 'allow', asks: ['*'] }], [network, write], 'allow'],
    [
      'one forbidden thing is enough',
      [{ verdict: 'deny', asks: ['host-network', 'privileged'] }],
      [network, write],
      'deny',
    ],
    ['a forbidden thing that is not asked for', [{ verdict: 'deny', asks: ['privileged'] }], [network], 'ask'],
    [
      'the first rule counts',
      [
        { verdict: 'deny', asks: ['*'] },
        { verdict: 'allow', asks: ['*'] },
      ],
      [network],
      'deny',
    ],
    ['a folder and what is below it', [{ verdict: 'allow', asks: ['host-path-write:/srv'] }], [write], 'allow'],
    ['a folder whose name only begins so', [{ verdict: 'allow', asks: ['host-path-write:/srv/dat'] }], [write], 'ask'],
    ['who may write may read', [{ verdict: 'allow', asks: ['host-path-write:/srv'] }], [read], 'allow'],
    ['who may read may not write', [{ verdict: 'allow', asks: ['host-path-read:/srv'] }], [write], 'ask'],
    ['the root folder means everything below', [{ verdict: 'allow', asks: ['host-path-write:/'] }], [write], 'allow'],
    [
      'who may write everything may read it',
      [{ verdict: 'allow', asks: ['host-root:write'] }],
      [{ kind: 'host-root', object: 'read', text: '' }],
      'allow',
    ],
    ['a repository', [{ verdict: 'allow', images: ['registry.example/tools/web'], asks: ['*'] }], [], 'allow'],
    [
      'a repository with its tag',
      [{ verdict: 'allow', images: ['registry.example/tools/web:1'], asks: ['*'] }],
      [],
      'allow',
    ],
    ['another tag', [{ verdict: 'allow', images: ['registry.example/tools/web:2'], asks: ['*'] }], [], 'ask'],
    ['a registry', [{ verdict: 'allow', images: ['registry.example/*'], asks: ['*'] }], [], 'allow'],
    [
      'a registry whose name only begins so',
      [{ verdict: 'allow', images: ['registry.exam/*'], asks: ['*'] }],
      [],
      'ask',
    ],
    ['a digest', [{ verdict: 'allow', digests: [digest], asks: ['*'] }], [], 'allow'],
    ['another digest', [{ verdict: 'allow', digests: [digest.replace('1', '2')], asks: ['*'] }], [], 'ask'],
    ['a label in another case', [{ verdict: 'allow', labels: ['RUN'], asks: ['*'] }], [], 'allow'],
    ['another label', [{ verdict: 'allow', labels: ['install'], asks: ['*'] }], [], 'ask'],
    ['a signer never applies', [{ verdict: 'allow', signedBy: ['ada'], asks: ['*'] }], [], 'ask'],
  ]

describe('the verdict of a policy', () => {
  for (const [title, rules, asks, verdict] of verdicts)
    it(title, () => {
      const policy = parsePolicy(JSON.stringify({ version: 1, rules }), 'runlabel.json')
      const facts = { names: ['registry.example/tools/web:1'], digest, label: 'run', asks }
      assert.equal(decide(policy, facts).verdict, verdict)
    })

  it('without a policy somebody is asked', () => {
    assert.equal(decide(undefined, { names: [], digest, label: 'run', asks: [] }).verdict, 'ask')
  })
})

/** Policies that are wrong, and the message that a user sees; FILE stands for the file. */
const wrong: readonly (readonly [title: string, text: string, message: RegExp])[] = [
  ['no JSON', '{\n  "version": 1,\n  rules: []\n}', /FILE:3: a name or text in "…" is missing/],
  ['nothing', '', /FILE:1: it ends too early/],
  ['a comma too many', '{\n"version": 1,\n}', /FILE:3: a name or text/],
  ['something behind the end', '{"version": 1}\n{}', /FILE:2: something stands behind the end/],
  ['a list', '[]', /FILE:1: an object is expected/],
  ['no version', '{}', /FILE:1: its version is not 1; write "version": 1/],
  ['another version', '{"version": 2}', /FILE:1: its version is not 1/],
  ['an unknown name', '{"version": 1,\n"rule": []}', /FILE:2: there is no "rule"; did you mean rules\?/],
  ['a name twice', '{"version": 1, "rules": [],\n"rules": []}', /FILE:2: "rules" stands here twice/],
  [
    'an unknown name in a rule',
    '{"version": 1, "rules": [\n{"verdict": "deny",\n"ask": []}]}',
    /FILE:3: there is no "ask"; did you mean asks\?/,
  ],
  [
    'an unknown verdict',
    '{"version": 1, "rules": [{"verdict":\n"yes"}]}',
    /FILE:2: a verdict is "allow", "ask" or "deny"/,
  ],
  ['a rule without verdict', '{"version": 1, "rules": [\n{}]}', /FILE:2: the rule has no verdict/],
  [
    'an unknown ask',
    '{"version": 1, "rules": [{"verdict": "deny", "asks": [\n"privilegd"]}]}',
    /FILE:2: "privilegd" in asks: did you mean privileged\?/,
  ],
  [
    'a rule that allows anything by mistake',
    '{"version": 1, "rules": [{"verdict": "allow"}]}',
    /FILE:1: a rule that allows does not say what/,
  ],
  [
    'a digest that is none',
    '{"version": 1, "rules": [{"verdict": "deny", "digests": ["sha256:1"]}]}',
    /"sha256:1" in digests/,
  ],
  [
    'a short name',
    '{"version": 1, "rules": [{"verdict": "deny", "images": ["web"]}]}',
    /"web" in images: it is not a full name/,
  ],
  [
    'a number among texts',
    '{"version": 1, "rules": [{"verdict": "deny", "images": [1]}]}',
    /images has an entry that is no text/,
  ],
  ['a relative log', '{"version": 1, "log": "log"}', /log is no place to write to/],
  ['deep nesting', '['.repeat(100), /it is nested too deeply/],
]

describe('a policy that is wrong executes nothing', { concurrency: 2 }, () => {
  const scene = once(async (t) => ({
    place: tempDir(t),
    ...(await labelled(t, { run: `touch ${tempDir(t)}/canary` })),
  }))

  for (const [i, [title, text, message]] of wrong.entries())
    it(title, async () => {
      const { place, store } = scene()
      const config = join(place, `config-${i}`)
      const file = writePolicy(config, text)
      const ran = await builder(['runlabel', '--yes', 'web'], { store, env: { XDG_CONFIG_HOME: config } })
      assert.deepEqual([ran.code, ran.stdout], [125, ''])
      assert.match(ran.stderr.replace(file, 'FILE'), message)
      assert.match(ran.stderr, /^builder: read policy /)
    })

  it('a policy that others can write is not trusted', async () => {
    const { place, store } = scene()
    const config = join(place, 'config-open')
    const file = writePolicy(config, '{"version": 1, "rules": [{"verdict": "allow", "asks": ["*"]}]}')
    for (const path of [file, join(config, 'containers')]) {
      const { mode } = statSync(path)
      chmodSync(path, mode | 0o022)
      const ran = await builder(['runlabel', 'web'], { store, env: { XDG_CONFIG_HOME: config } })
      assert.equal(ran.code, 125)
      assert.match(ran.stderr, /others than its owner can write it; give it to yourself or root alone/)
      chmodSync(path, mode)
    }
  })
})

describe('a policy decides, and the decision is written down', () => {
  const scene = once(async (t) => {
    const place = tempDir(t)
    return { place, config: join(place, 'config'), ...(await labelled(t, { run: `touch ${place}/canary` })) }
  })
  const runWith = async (policy: object, ...flags: readonly string[]) => {
    const { place, store, config } = scene()
    rmSync(join(place, 'canary'), { force: true })
    rmSync(join(store, 'root/runlabel.log'), { force: true })
    writePolicy(config, JSON.stringify({ version: 1, ...policy }))
    const env = { XDG_CONFIG_HOME: config, SUDO_USER: 'ada', SUDO_UID: '4242' }
    const ran = await builder(['runlabel', ...flags, 'web'], { store, env })
    const log = join(store, 'root/runlabel.log')
    return { ...ran, ranIt: existsSync(join(place, 'canary')), log: existsSync(log) ? readFileSync(log, 'utf8') : '' }
  }

  it('allow runs without --yes', async () => {
    const { digest, store, place } = scene()
    const rules = [{ verdict: 'allow', digests: [digest], asks: ['root', 'host-program'] }]
    const { ranIt, log, stderr } = await runWith({ rules })
    assert.ok(ranIt, stderr)
    assert.match(stderr, /It asks for:\n(.*\n)? {2}- a program on the host, in no container: \/\S*touch\n/)
    const { time, loginuid, asks, ...entry } = JSON.parse(log)
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 600_000)
    assert.ok(loginuid === undefined || /^\d+$/.test(loginuid))
    assert.ok(asks.includes(`host-program:${entry.argv[0]}`))
    assert.deepEqual(entry, {
      verdict: 'executed',
      why: `the policy allows it (${join(scene().config, 'containers/runlabel.json')}:1)`,
      uid: process.getuid?.(),
      sudoUid: '4242',
      sudoUser: 'ada',
      image: 'localhost/web:latest',
      digest,
      label: 'run',
      engine: 'program',
      argv: [entry.argv[0], join(place, 'canary')],
      cwd: process.cwd(),
    })
    assert.equal(statSync(join(store, 'root/runlabel.log')).mode & 0o777, 0o600)
  })

  it('deny is final, also with --yes', async () => {
    const { ranIt, code, stderr, log } = await runWith(
      { rules: [{ verdict: 'deny', asks: ['host-program'] }] },
      '--yes',
    )
    assert.deepEqual([ranIt, code], [false, 125])
    assert.match(
      stderr,
      /label run of localhost\/web:latest: nothing is executed: the policy forbids it \(\S+runlabel\.json:1\)/,
    )
    assert.equal(JSON.parse(log).verdict, 'refused')
  })

  it('what a rule does not cover is asked', async () => {
    const { ranIt, code, stderr } = await runWith({ rules: [{ verdict: 'allow', asks: ['host-network'] }] })
    assert.deepEqual([ranIt, code], [false, 125])
    assert.match(
      stderr,
      /nothing is executed: there is no terminal to ask at; look at what it asks for, and give --yes, or allow it in runlabel\.json\n$/,
    )
  })

  it('the default may forbid', async () => {
    assert.equal((await runWith({ default: 'deny' }, '--yes')).ranIt, false)
  })

  it('what cannot be written down is not executed', async () => {
    for (const log of [join(scene().place, 'a-folder'), '/dev/full', '/proc/no/log']) {
      mkdirSync(join(scene().place, 'a-folder'), { recursive: true })
      const { ranIt, code, stderr } = await runWith({ log }, '--yes')
      assert.deepEqual([ranIt, code], [false, 125], log)
      assert.match(
        stderr,
        /log decision \S+: it cannot be written: .*; nothing is executed; name another place in runlabel\.json/,
      )
    }
  })

  it('the log may be elsewhere', async () => {
    const log = join(scene().place, 'logs/decisions')
    const { ranIt, stderr } = await runWith({ log }, '--yes')
    assert.ok(ranIt, stderr)
    assert.equal(JSON.parse(readFileSync(log, 'utf8')).why, '--yes')
  })
})

function writePolicy(config: string, text: string): string {
  const file = join(config, 'containers/runlabel.json')
  mkdirSync(join(config, 'containers'), { recursive: true, mode: 0o755 })
  writeFileSync(file, text, { mode: 0o644 })
  return file
}

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { GeneratorError } from '../../bin/generate/faults.js'
import { outputsFor } from '../../bin/generate/outputs.js'
import { readVerbs } from '../../bin/generate/read.js'
import { differences, write } from '../../bin/generate/write.js'
import { top } from '../lane.js'

const fixtures = join(top, 'test/bin/fixtures')

describe('what is committed', () => {
  it('is what sdk/verbs says (npm run generate makes it so)', () => {
    assert.deepEqual(differences(top, outputsFor(top)), [])
  })
})

describe('reading verbs', () => {
  const { verbs, globals } = readVerbs(fixtures)
  const from = verbs.find(({ name }) => name === 'from')
  const flags = Object.fromEntries((from?.flags ?? []).map((flag) => [flag.name, flag]))

  it('finds every function with @verb, in the order of names', () => {
    const names = [
      'containers',
      'fail',
      'from',
      'images',
      'manifest create',
      'manifest push',
      'print',
      'run',
      'tag',
      'wait',
    ]
    assert.deepEqual(
      verbs.map(({ name }) => name),
      names,
    )
  })

  it('keeps the global options apart and leaves @sdk ones out', () => {
    assert.deepEqual(
      globals.map(({ name }) => name),
      ['root', 'storage-opt', 'log-level'],
    )
    assert.equal(flags['on-progress'], undefined)
    assert.equal(flags.signal, undefined)
  })

  it('reads members that are inherited from interfaces in other files', () => {
    assert.deepEqual(flags.quiet, {
      name: 'quiet',
      key: 'quiet',
      kind: 'boolean',
      text: 'Print nothing but the result.',
      short: 'q',
    })
  })

  const kinds: [string, string][] = [
    ['name', 'string'],
    ['pull', 'optional-value'],
    ['format', 'choice'],
    ['env', 'list'],
    ['retries', 'number'],
    ['tls-verify', 'boolean'],
    ['entrypoint', 'string'],
  ]
  for (const [name, kind] of kinds) it(`reads --${name} as ${kind}`, () => assert.equal(flags[name]?.kind, kind))

  it('reads choices, defaults, shorts, placeholders, other names and what is hidden', () => {
    assert.deepEqual(flags.pull?.choices, ['always', 'missing', 'never', 'newer'])
    assert.equal(flags.format?.default, 'oci')
    assert.equal(flags.format?.short, 'f')
    assert.equal(flags.env?.placeholder, 'NAME=VALUE')
    assert.deepEqual(flags.terminal?.also, ['tty'])
    assert.equal(flags['tls-verify']?.negatable, true)
    assert.equal(flags.secretly?.hidden, true)
  })

  it('reads the prose, the errors and the examples', () => {
    assert.equal(from?.summary, 'Creates a working container from an image.')
    assert.deepEqual(from?.prose, ['The image may be `scratch`.', 'More of it, with a `FromResult`:', '- one\n- two'])
    assert.equal(from?.throws, 'Throws `NOT_FOUND` for an unknown image.')
    assert.deepEqual(from?.examples[0], { language: 'sh', code: 'c=$(builder from scratch) # not a @tag' })
    assert.equal(from?.examples[1]?.language, 'ts')
  })

  it('reads positionals, groups, aliases, where and passthrough', () => {
    const tag = verbs.find(({ name }) => name === 'tag')
    assert.deepEqual(tag?.positionals, [
      { name: 'IMAGE', text: 'Name or ID of an image.', completes: 'image' },
      { name: 'NAME', text: 'Names to give.', many: true, completes: 'nothing' },
    ])
    assert.deepEqual(verbs.find(({ name }) => name === 'containers')?.aliases, ['list', 'ls'])
    const run = verbs.find(({ name }) => name === 'run')
    assert.deepEqual([run?.where, run?.passthrough, run?.present], ['holder', true, false])
    assert.deepEqual([from?.where, from?.passthrough, from?.present], ['inside', false, true])
  })
})

describe('faults in the sources', () => {
  const good = '/** Options. */\nexport interface O {\n  /** Text. */\n  a?: string\n}\n'
  const doc = '/**\n * Does it.\n *\n * @verb\n */\n'
  const cases: [string, string, RegExp][] = [
    [
      'an option without documentation',
      `export interface O {\n  a?: string\n}\n${doc}export function x(options: O = {}) {}`,
      /^sdk\/verbs\/v0\.ts:2: option a has no documentation; write/,
    ],
    [
      'an undocumented export',
      `${good}export interface P {}\n${doc}export function x(options: O = {}) {}`,
      /^sdk\/verbs\/v1\.ts:6: export P has no documentation/,
    ],
    [
      'a parameter without @param',
      `${good}${doc}export function x(y: string, options: O = {}) {}`,
      /ts:11: parameter y has no documentation; write @param y - /,
    ],
    [
      'a @param of no parameter',
      `${good}${doc.replace(' */', ' * @param z - Z.\n */')}export function x(options: O = {}) {}`,
      /@param z is no parameter/,
    ],
    [
      'a misspelt tag',
      good.replace('Text.', 'Text. @shrot a').replace('@shrot', '\n@shrot') +
        `${doc}export function x(options: O = {}) {}`,
      /nobody knows the tag @shrot; write @short/,
    ],
    [
      'an option that must be there',
      `${good.replace('a?', 'a')}${doc}export function x(options: O) {}`,
      /option a is not optional; write a\?:/,
    ],
    [
      'a function as a flag',
      `${good.replace('string', '() => void')}${doc}export function x(options: O = {}) {}`,
      /option a of type \(\) => void cannot be a flag; write @sdk/,
    ],
    [
      'an object as a positional',
      `${good}${doc.replace(' */', ' * @param y - Y.\n */')}export function x(y: O, options: O = {}) {}`,
      /parameter y is neither a string nor a list/,
    ],
    ['no options', `${good}${doc}export function x() {}`, /verb x takes no options/],
    [
      'the short flag h',
      `${good.replace('Text.', 'Text. @short h')}${doc}export function x(options: O = {}) {}`,
      /not h/,
    ],
    [
      'two flags of one short',
      `${good.replace('Text.', 'Text. @short a').replace('}', '/** B. @short a */\nb?: string\n}')}${doc}export function x(options: O = {}) {}`,
      /two options are spelt a/,
    ],
    [
      'a negatable string',
      `${good.replace('Text.', 'Text. @negatable')}${doc}export function x(options: O = {}) {}`,
      /only a boolean is @negatable/,
    ],
    [
      'an unknown @where',
      `${good}${doc.replace('@verb', '@verb\n * @where there')}export function x(options: O = {}) {}`,
      /@where there is unknown/,
    ],
    [
      'two verbs of one name',
      `${good}${doc}export function x(options: O = {}) {}\n${doc.replace('@verb', '@verb x')}export function y(options: O = {}) {}`,
      /two verbs are called x/,
    ],
    [
      'a verb of three words',
      `${good}${doc.replace('@verb', '@verb a b c')}export function x(options: O = {}) {}`,
      /is no verb name/,
    ],
  ]
  const files = Object.fromEntries(cases.map(([, source], i) => [`sdk/verbs/v${i}.ts`, source]))
  const lines = inFolder(files, (folder) => {
    try {
      return [JSON.stringify(readVerbs(folder))]
    } catch (error) {
      return error instanceof GeneratorError ? error.lines : [String(error)]
    }
  })
  for (const [i, [title, , expected]] of cases.entries())
    it(title, () => {
      const own = lines.filter((line) => line.startsWith(`sdk/verbs/v${i}.ts:`))
      assert.ok(
        own.some((line) => expected.test(line)),
        own.join('\n'),
      )
    })
})

describe('writing', () => {
  it('gives the same bytes twice', () => {
    assert.deepEqual([...outputsFor(fixtures)], [...outputsFor(fixtures)])
  })

  it('writes, finds nothing to do, sees a change and a page of no verb, and mends both', () => {
    inFolder({}, (folder) => {
      const outputs = outputsFor(fixtures)
      write(folder, outputs)
      assert.deepEqual(differences(folder, outputs), [])
      const table = join(folder, 'bin/verbs.gen.ts')
      writeFileSync(table, readFileSync(table, 'utf8').replace('Creates', 'Makes'))
      writeFileSync(join(folder, 'docs/man/builder-old.1'), '')
      const found = differences(folder, outputs)
      assert.match(found[0] ?? '', /^bin\/verbs\.gen\.ts: 1 lines? differ/)
      assert.equal(found[1], 'docs/man/builder-old.1: is of no verb')
      write(folder, outputs)
      assert.deepEqual(differences(folder, outputs), [])
    })
  })

  it('tells the launcher where verbs run, which need no network and which global flags have a value', () => {
    const text = outputsFor(fixtures).get('bin/verbs.gen.sh') ?? ''
    assert.match(text, /^inside_verbs='from create manifest'$/m)
    assert.match(text, /^holder_verbs='run'$/m)
    assert.match(text, /^offline_verbs='containers list ls'$/m)
    assert.match(text, /^valued_globals='--root --storage-opt --log-level'$/m)
  })
})

function inFolder<T>(files: Readonly<Record<string, string>>, task: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'builder-generate-'))
  try {
    mkdirSync(join(folder, 'sdk/verbs'), { recursive: true })
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text)
    return task(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

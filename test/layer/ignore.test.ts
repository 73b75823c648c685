import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { globRegExp, ignoreRules, parseIgnore } from '../../sdk/layer/ignore.js'

/** Paths that an ignore file is asked about, and whether they are left out. */
type Answers = Readonly<Record<string, boolean>>

// The documented rules; what is marked BuildKit or buildah was tried with them or is in their pattern matcher's own tests.
const cases: [why: string, file: string, answers: Answers][] = [
  ['a name fits on top only', 'log', { log: true, 'a/log': false, logs: false }],
  ['what is in a folder that fits', 'dir', { dir: true, 'dir/a': true, 'dir/a/b': true }],
  ['a slash at either end means nothing', '/dir/', { dir: true, 'dir/a': true }],
  ['a dot in front means nothing', './dir/../other', { other: true, dir: false }],
  ['blanks around a pattern', '  log \t', { log: true }],
  ['blanks behind the !', '*\n!  keep', { keep: false, log: true }],
  ['lines of other systems', 'a\r\nb\r\n', { a: true, b: true }],
  ['a byte order mark', '\uFEFFa', { a: true }],
  ['comments', '#a\na # b', { a: false, '#a': false, 'a # b': true }],
  ['a comment stands at the very beginning', ' #a', { '#a': true }],
  ['empty lines', '\n\n  \na', { a: true, b: false }],

  ['a star stays in a name', '*.log', { 'a.log': true, 'a/b.log': false, '.log': true }],
  ['a star for a folder', '*/log', { 'a/log': true, 'a/b/log': false, 'a/log/x': true }],
  ['a question mark is one character', 'a?c', { abc: true, 'a☺c': true, ac: false, 'a/c': false }],
  ['hidden files are no exception', '*', { '.a': true, a: true }],
  ['a star in the middle', 'a*b*c', { abc: true, axbxc: true, axc: false }],

  ['** for any folders', '**/log', { log: true, 'a/log': true, 'a/b/log': true, 'a/xlog': false }],
  ['** with a star', '**/*.log', { 'x.log': true, 'a/b/x.log': true, 'a/b': false }],
  ['** in the middle', 'a/**/b', { 'a/b': true, 'a/x/b': true, 'a/x/y/b/z': true, b: false, axb: false }],
  ['** at the end', 'a/**', { a: false, 'a/b': true, 'a/b/c': true }],
  ['** alone', '**', { a: true, 'a/b': true }],
  ['**/ is ** (BuildKit)', '**/', { a: true, 'a/b': true }],
  ['**name fits the end of a word (BuildKit)', '**file', { file: true, 'a/file': true, myfile: true, files: false }],
  ['a** and a star (BuildKit)', 'a**/*.txt', { 'a/f.txt': true, 'a/b/c/f.txt': true, 'b/f.txt': false }],
  ['two of them (BuildKit)', '**/**/*.txt', { 'f.txt': true, 'a/b/f.txt': true, 'a/f.txt2': false }],
  ['a name at the end of one (BuildKit)', '**/.foo', { '.foo': true, 'a/.foo': true, 'bar.foo': false }],

  ['a class', 'a[b-d]e', { ace: true, aae: false, ae: false }],
  ['an inverse class', 'a[^b-d]e', { aze: true, ace: false }],
  ['an exclamation mark inverts nothing (BuildKit)', 'a[!b]', { ab: true, 'a!': true, ac: false }],
  ['an escape in a class', '[x\\-]', { '-': true, x: true, y: false }],
  ['a class with its ends swapped fits nothing', '[z-a]', { a: false, z: false }],
  ['a class of other scripts', '[а-я]*', { жук: true, bug: false }],
  ['an escaped star', 'a\\*b', { 'a*b': true, axb: false }],
  ['an escaped backslash', 'a\\\\', { 'a\\': true }],
  ['an escaped !', '\\!a', { '!a': true, a: false }],
  ['an escaped #', '\\#a', { '#a': true }],
  ['what is special elsewhere', 'a.|)$(}+{^b', { 'a.|)$(}+{^b': true, 'ax|)$(}+{^b': false }],

  ['! brings back', '*.md\n!README.md', { 'a.md': true, 'README.md': false }],
  ['the last that fits decides', '!a\n*', { a: true }],
  ['and the other way', '*\n!a\na', { a: true }],
  ['! in a folder', 'docs\n!docs/README.md', { docs: true, 'docs/a': true, 'docs/README.md': false }],
  ['! for a folder brings back what is in it', '**\n!web', { web: false, 'web/a/b': false, x: true }],
  ['and a later one leaves it out again', '**\n!web\nweb/tmp', { 'web/a': false, 'web/tmp/x': true }],
  ['! for a folder overrides an earlier wildcard (buildah)', '**/*.log\n!src', { 'a.log': true, 'src/a.log': false }],
  ['! with ** (BuildKit)', 'a\n!**/keep', { 'a/x': true, 'a/b/keep': false }],
  ['! with a star', '**\n!dist/*.whl', { 'dist/a-1+b.whl': false, 'dist/a.tar': true }],
]

const refused: [why: string, file: string, reason: RegExp][] = [
  ['a lone !', 'a\n!', /ignore \.dockerignore:2: there is no pattern behind the !; write !PATTERN, or remove the line/],
  ['an open class', '[a', /ignore \.dockerignore:1: the pattern \[a is malformed; close the \[ with \]/],
  ['an empty class', 'a[]', /malformed/],
  ['a class that begins with its end', '[]a]', /malformed/],
  ['a class with half a range', '[a-]', /malformed/],
  ['a class with a range of three', '[a-b-c]', /malformed/],
  ['a backslash at the end', 'a\\', /malformed/],
]

describe('an ignore file', () => {
  for (const [why, file, answers] of cases)
    it(`${why}: ${JSON.stringify(file)}`, () => {
      const rules = parseIgnore(file)
      const got = Object.fromEntries(Object.keys(answers).map((path) => [path, rules.ignores(path)]))
      assert.deepEqual(got, answers)
    })
  for (const [why, file, message] of refused)
    it(`refuses ${why}: ${JSON.stringify(file)}`, () =>
      assert.throws(() => parseIgnore(file, '.dockerignore'), { code: 'INVALID', message }))

  it('names the pattern of --exclude that is malformed', () =>
    assert.throws(() => ignoreRules(['a', '[']), { message: /ignore "\[": the pattern \[ is malformed/ }))

  it('knows in which ignored folders something may come back', () => {
    const { mayComeBack, mayComeBackIn } = parseIgnore('*\n!src/lib\n!docs/*.md\nsrc/lib/tmp\nvendor')
    assert.equal(mayComeBack, true)
    const asked = ['src', 'src/lib/tmp', 'docs', 'docs/api', 'node_modules', 'vendor']
    assert.deepEqual(asked.filter(mayComeBackIn), ['src', 'docs', 'docs/api'])
    assert.equal(parseIgnore('*\n!**/keep').mayComeBackIn('node_modules/a'), true)
    assert.equal(parseIgnore('a').mayComeBack, false)
  })

  it('knows that everything is left out', () => {
    const asked = ['*', '**', '**/*', 'a', '*\n!a', '']
    assert.deepEqual(
      asked.filter((file) => parseIgnore(file).leavesNothing),
      ['*', '**', '**/*'],
    )
  })

  it('many stars do not make it wait', () => {
    const path = `${'a'.repeat(250)}/${'a'.repeat(250)}/${'b'.repeat(250)}`
    const rules = parseIgnore(`${'*a'.repeat(30)}/c\n${'**/*a*a'.repeat(12)}c\n${'**/a*/'.repeat(20)}x`)
    assert.equal(rules.ignores(path), false)
    assert.equal(parseIgnore(`${'*a'.repeat(30)}`).ignores(path), true)
    assert.equal(parseIgnore(`**/${'*a'.repeat(30)}`).ignores(`x/y/${path}`), true)
    assert.equal(parseIgnore(`a**/b**/c**/*d`).ignores('a/x/b/c/y/cd/e'), true)
  })

  it('a glob of a copy has the same classes', () => {
    assert.equal(globRegExp('[z-a]').test('b'), false)
    assert.equal(globRegExp('a[!b]').test('a!'), true)
    assert.equal(globRegExp('[ab').test('[ab'), true)
  })
})

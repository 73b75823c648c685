// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are a Containerfile's variables
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ExpandOptions, expandWord, expandWords } from '../../sdk/containerfile/expand.js'

const values: Readonly<Record<string, string>> = {
  HOME: '/root',
  VERSION: '1.2.3',
  EMPTY: '',
  WITH_BLANKS: ' a  b ',
  FILE: 'dir/archive.tar.gz',
  STARS: 'xx**',
  ΩMEGA: 'omega',
  LINES: 'one\ntwo',
  URL: 'http://host/a/b',
  WIDE: '日本語🖖',
}
const lookup = (name: string) => (Object.hasOwn(values, name) ? values[name] : undefined)

// Every row is the documented behaviour; what is marked with the reference's name is only in its source.
const expanded: [why: string, text: string, result: string, options?: ExpandOptions][] = [
  ['a plain word', 'abc', 'abc'],
  ['nothing', '', ''],
  ['a variable', '$HOME', '/root'],
  ['a variable in a word', 'a$HOME/b', 'a/root/b'],
  ['the name ends at what is no letter', '$HOME.x', '/root.x'],
  ['the longest name', '$HOMEs', ''],
  ['braces end it', '${HOME}s', '/roots'],
  ['names know their case', '$home', ''],
  ['letters of all scripts', '$ΩMEGA', 'omega'],
  ['what is not set is empty', 'a${NONE}b', 'ab'],
  ['a lone dollar', 'a$', 'a$'],
  ['a dollar in front of a dot', '$.x', '$.x'],
  ['two dollars are a special parameter', '$$x', 'x'],
  ['a positional parameter has digits only', '$12ab', 'ab'],
  ['and can have a default', '${1:-x}', 'x'],
  ['special parameters can too', '${@:-x}${#:-y}${-:-z}', 'xyz'],

  ['an escape in front of a dollar', '\\$HOME', '$HOME'],
  ['two escapes are one', '\\\\$HOME', '\\/root'],
  ['an escape in front of a letter goes', 'a\\bc', 'abc'],
  ['an escape in front of a blank', 'a\\ b', 'a b'],
  ['an escape at the end goes', 'abc\\', 'abc'],
  ['an escaped brace', '\\${HOME}', '${HOME}'],
  ['single quotes keep all', "'$HOME \\$x \"'", '$HOME \\$x "'],
  ['double quotes expand', '"$HOME \'$HOME\'"', "/root '/root'"],
  ['an escape in double quotes', '"\\$HOME \\" \\\\"', '$HOME " \\'],
  ['another stays in double quotes', '"a\\tb"', 'a\\tb'],
  ['quotes in the middle', 'a"b c"d\'e f\'', 'ab cde f'],
  ['an escaped quote', "it\\'s", "it's"],
  ['quotes in a value are text', '${Q}', '"'],

  ['the backquote escapes when told to', 'a`$HOME\\', 'a$HOME\\', { escape: '`' }],
  ['then the backslash is text', 'c:\\$VERSION', 'c:\\1.2.3', { escape: '`' }],
  ['else the backquote is text', '`$VERSION`', '`1.2.3`'],

  ['a heredoc keeps quotes', '"$VERSION" \'$VERSION\'', '"1.2.3" \'1.2.3\'', { quotes: false }],
  ['a heredoc may have one quote', "it's $VERSION", "it's 1.2.3", { quotes: false }],
  ['a heredoc has its own escape', '\\$VERSION `$VERSION', '$VERSION `1.2.3', { quotes: false, escape: '`' }],
  ['escapes count in a heredoc (BuildKit)', '\\$VERSION a\\b \\\\', '$VERSION ab \\', { quotes: false }],

  [':- for what is not set', '${NONE:-x}', 'x'],
  [':- for what is empty', '${EMPTY:-x}', 'x'],
  [':- for what is set', '${VERSION:-x}', '1.2.3'],
  ['- for what is not set', '${NONE-x}', 'x'],
  ['- for what is empty', '${EMPTY-x}', ''],
  ['- for what is set', '${VERSION-x}', '1.2.3'],
  [':+ for what is not set', '${NONE:+x}', ''],
  [':+ for what is empty', '${EMPTY:+x}', ''],
  [':+ for what is set', '${VERSION:+x}', 'x'],
  ['+ for what is not set', '${NONE+x}', ''],
  ['+ for what is empty', '${EMPTY+x}', 'x'],
  ['+ for what is set', '${VERSION+x}', 'x'],
  [':? for what is set', '${VERSION:?x}', '1.2.3'],
  ['? for what is empty', '${EMPTY?x}', ''],
  ['an empty default', 'a${NONE:-}b', 'ab'],
  ['a default with blanks', '${NONE:-a b}', 'a b'],
  ['a default with quotes', '${NONE:-"a}b"}', 'a}b'],
  ['a default with an escaped brace', '${NONE:-a\\}b}', 'a}b'],
  ['a default with a variable', '${NONE:-$HOME/x}', '/root/x'],
  ['a default within a default', '${NONE:-${EMPTY:-${VERSION:+deep}}}', 'deep'],
  ['a default within quotes', '"${NONE:-a b}"', 'a b'],
  ['an open brace in a default', '${NONE:-a{b}', 'a{b'],
  ['what stands behind', '${NONE:-x}}', 'x}'],
  ['a variant only when there is one', 'linux-arm${VARIANT:+-${VARIANT}}', 'linux-arm'],

  ['# takes the shortest beginning', '${FILE#*a}', 'rchive.tar.gz'],
  ['## takes the longest beginning', '${FILE##*/}', 'archive.tar.gz'],
  ['## with several that fit', '${FILE##*.}', 'gz'],
  ['# with text', '${FILE#dir/}', 'archive.tar.gz'],
  ['# that does not fit', '${FILE#x}', 'dir/archive.tar.gz'],
  ['# with a lone star takes nothing', '${FILE#*}', 'dir/archive.tar.gz'],
  ['## with a lone star takes all', '${FILE##*}', ''],
  ['# with nothing', '${FILE#}', 'dir/archive.tar.gz'],
  ['# with a question mark', '${VERSION#?.}', '2.3'],
  ['a question mark is a character, not a unit', '${WIDE%?}', '日本語'],
  ['% takes the shortest end', '${FILE%.*}', 'dir/archive.tar'],
  ['%% takes the longest end', '${FILE%%.*}', 'dir/archive'],
  ['% with text', '${FILE%.gz}', 'dir/archive.tar'],
  ['% with a variable in it', '${FILE%.$NONE*}', 'dir/archive.tar'],
  ['an escaped star', '${STARS%%\\**}', 'xx'],
  ['two escaped stars', '${STARS%\\*}', 'xx*'],
  ['brackets mean nothing', '${VERSION#[0-9]}', '1.2.3'],
  ['dots mean themselves', '${VERSION#1x}', '1.2.3'],
  ['a star does not leave the line (BuildKit)', '${LINES##*}', '\ntwo'],
  ['a pattern of what is not set', '${NONE#x}', ''],

  ['/ replaces the first', '${VERSION/./-}', '1-2.3'],
  ['// replaces all', '${VERSION//./-}', '1-2-3'],
  ['/ with an escaped slash', '${FILE/\\//:}', 'dir:archive.tar.gz'],
  ['// with an escaped slash', '${URL//\\//:}', 'http:::host:a:b'],
  ['an escape stays in what is put there (BuildKit)', '${VERSION//./\\/}', '1\\/2\\/3'],
  ['/ with a star takes the longest', '${FILE/a*a/X}', 'dir/Xr.gz'],
  ['/ with an empty text to put there', '${FILE/dir\\//}', 'archive.tar.gz'],
  ['a pattern from a variable', '${FILE/$EMPTY/x}', 'xdir/archive.tar.gz'],
  ['an empty pattern with //', '${VERSION//$EMPTY/-}', '-1-.-2-.-3-'],
  ['a dollar in what is put there', "${VERSION//./'$1'}", '1$12$13'],
  ['a variable in what is put there', '${FILE/dir/$HOME}', '/root/archive.tar.gz'],
  ['/ of what is not set', '${NONE/a/b}', ''],
  ['a replacement within a default', '${NONE:-${VERSION//./_}}', '1_2_3'],
]

const refused: [why: string, text: string, message: RegExp, options?: ExpandOptions][] = [
  ['an open single quote', "a'b", /the quote ' is never closed/],
  ['an open double quote', 'a"b\\"', /the quote " is never closed/],
  ['an open brace', 'a${HOME', /the } that ends \$\{…\} is missing/],
  ['an open default', 'a${NONE:-x', /the } that ends/],
  ['an inner open default', '${NONE:-b ${HOME}', /the } that ends/],
  ['no name', '${}', /the name of the variable is missing/],
  ['no name in front of a default', '${:-x}', /the name of the variable is missing/],
  ['two braces', '${{HOME}}', /the name of the variable is missing/],
  ['a dot', '${.}', /\$\{….…\} is not known; known are :-/],
  ['an assignment', '${HOME:=x}', /\$\{…:=…\} is not known/],
  ['an assignment without a colon', '${HOME=x}', /\$\{…=…\} is not known/],
  ['a colon alone', '${HOME:x}', /\$\{…:x…\} is not known/],
  ['a colon in front of #', '${HOME:#x}', /\$\{…:#…\} is not known/],
  ['/ without the second one', '${FILE/dir}', /the \/ that ends/],
  ['/ without its end', '${FILE/dir/x', /the } that ends/],
  ['a wrong escape in a pattern', '${FILE#\\x}', /in the pattern \\x a \\ stands in front of something else/],
  ['? that is not met', '${NONE?}', /NONE: it must be set$/m],
  [':? that is not met', '${EMPTY:?}', /EMPTY: it must be set and not empty/],
  ['? with a message', '${NONE?give --build-arg NONE, $HOME}', /NONE: give --build-arg NONE, \/root/],
  ['an error in what would not be used', '${VERSION:-${x!}}', /\$\{…!…\} is not known/],
  ['too deep', '${a:-'.repeat(2000) + '}'.repeat(2000), /nested deeper than 100 times/],
]

const split: [why: string, text: string, words: string[]][] = [
  ['blanks split', 'a  b', ['a', 'b']],
  ['blanks in a value split', 'x${WITH_BLANKS}y', ['x', 'a', 'b', 'y']],
  ['blanks in a quoted value do not', 'x"${WITH_BLANKS}"y', ['x a  b y']],
  ['an escaped blank does not', 'a\\ b', ['a b']],
  ['an empty value gives no word', '$EMPTY', []],
  ['a word goes on behind a default', '80${NONE:-80}/tcp', ['8080/tcp']],
]

describe('expanding a word', () => {
  for (const [why, text, result, options] of expanded)
    it(`${why}: ${text}`, () =>
      assert.equal(
        expandWord(text, (name) => (name === 'Q' ? '"' : lookup(name)), options),
        result,
      ))
  for (const [why, text, message, options] of refused)
    it(`refuses ${why}: ${text.slice(0, 40)}`, () =>
      assert.throws(() => expandWord(text, lookup, options), { name: 'BuilderError', code: 'INVALID', message }))
  for (const [why, text, words] of split)
    it(`in words, ${why}: ${text}`, () => assert.deepEqual(expandWords(text, lookup), words))

  it('shows the line and a caret when it knows where the word stands', () => {
    const position = { file: 'Containerfile', line: 4, text: 'WORKDIR /srv/${HOME:=x}' }
    assert.throws(() => expandWord('/srv/${HOME:=x}', lookup, { position }), {
      message:
        'expand Containerfile:4:14: ${…:=…} is not known; known are :- - :+ + :? ? # ## % %% / and //\n' +
        '  4 | WORKDIR /srv/${HOME:=x}\n' +
        '    |              ^^^^^^^^^^',
    })
  })

  it('takes time in proportion to the text, whatever the pattern', () => {
    const long = (name: string) => (name === 'LONG' ? 'a'.repeat(50_000) : undefined)
    assert.equal(expandWord('${LONG##*a*a*a*a*a*b}', long).length, 50_000)
    assert.equal(expandWord('${LONG%%b*a*a*a*a*a*}', long).length, 50_000)
    assert.equal(expandWord('${LONG//a*a*a*a*b/x}', long).length, 50_000)
  })
})

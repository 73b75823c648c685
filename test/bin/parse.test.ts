import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readVerbs } from '../../bin/generate/read.js'
import { parseWords } from '../../bin/parse.js'
import { BuilderError } from '../../sdk/errors.js'
import { top } from '../lane.js'

const { verbs, globals } = readVerbs(join(top, 'test/bin/fixtures'))

describe('words after a verb', () => {
  const cases: [string, unknown[], Record<string, unknown>][] = [
    ['from x', ['x'], {}],
    ['from --name a x', ['x'], { name: 'a' }],
    ['from --name=a x', ['x'], { name: 'a' }],
    ['from --name= x', ['x'], { name: '' }],
    ['from --name=a=b x', ['x'], { name: 'a=b' }],
    ['from --name --name x', ['x'], { name: '--name' }],
    ['from x --name a', ['x'], { name: 'a' }],
    ['from --name a --name b x', ['x'], { name: 'b' }],
    ['from -q x', ['x'], { quiet: true }],
    ['from -qt x', ['x'], { quiet: true, terminal: true }],
    ['from -qe A=1 x', ['x'], { quiet: true, env: ['A=1'] }],
    ['from -qeA=1 x', ['x'], { quiet: true, env: ['A=1'] }],
    ['from -f=docker x', ['x'], { format: 'docker' }],
    ['from -fdocker x', ['x'], { format: 'docker' }],
    ['from -e A=1 --env B=2 --env=C x', ['x'], { env: ['A=1', 'B=2', 'C'] }],
    ['from -e -q x', ['x'], { env: ['-q'] }],
    ['from --pull x', ['x'], { pull: true }],
    ['from --pull=never x', ['x'], { pull: 'never' }],
    ['from --pull=true x', ['x'], { pull: true }],
    ['from --pull=false x', ['x'], { pull: false }],
    ['from --name --pull x', ['x'], { name: '--pull' }],
    ['from --retries 3 x', ['x'], { retries: 3 }],
    ['from --retries -1 x', ['x'], { retries: -1 }],
    ['from --no-tls-verify x', ['x'], { tlsVerify: false }],
    ['from --tls-verify=false x', ['x'], { tlsVerify: false }],
    ['from --tls-verify=1 x', ['x'], { tlsVerify: true }],
    ['from --quiet --quiet=false x', ['x'], { quiet: false }],
    ['from --no-hosts x', ['x'], { noHosts: true }],
    ['from --no-hosts=false x', ['x'], { noHosts: false }],
    ['from --terminal x', ['x'], { terminal: true }],
    ['from --tty x', ['x'], { terminal: true }],
    ['from --tty=false x', ['x'], { terminal: false }],
    ['from --secretly x', ['x'], { secretly: true }],
    ['from --root /r --storage-opt a --storage-opt b x', ['x'], { root: '/r', storageOpt: ['a', 'b'] }],
    ['from -- -x', ['-x'], {}],
    ['from -', ['-'], {}],
    ['tag i a b', ['i', ['a', 'b']], {}],
    ['containers', [], {}],
    ['manifest create l', ['l', []], {}],
    ['manifest create l a b', ['l', ['a', 'b']], {}],
    ['manifest push a b c', [['a', 'b'], 'c'], {}],
    ['run c', ['c', []], {}],
    ['run -t c ls -l', ['c', ['ls', '-l']], { tty: true }],
    ['run c -- ls -l', ['c', ['ls', '-l']], {}],
    ['run -- c ls -l', ['c', ['ls', '-l']], {}],
    ['run c ls -- x', ['c', ['ls', '--', 'x']], {}],
    ['run c -- -- x', ['c', ['--', 'x']], {}],
    ['run c ls --help --tty=no --pull', ['c', ['ls', '--help', '--tty=no', '--pull']], {}],
    ['run --root /r c -q', ['c', ['-q']], { root: '/r' }],
    ['run help me', ['help', ['me']], {}],
  ]
  for (const [line, positionals, options] of cases)
    it(line, () => assert.deepEqual(parse(line), { positionals, options, wantsHelp: false }))

  for (const line of ['from --help', 'from -h', 'from -qh x y z', 'from --bogus --help', 'run -t --help', 'tag --help'])
    it(`${line} asks for help`, () => assert.equal(parse(line).wantsHelp, true))
})

describe('words that are wrong', () => {
  const cases: [string, string][] = [
    ['from', 'from IMAGE: it is missing (scratch or a name)'],
    ['tag', 'tag IMAGE: it is missing (Name or ID of an image)'],
    ['tag i', 'tag NAME: it is missing (Names to give)'],
    ['manifest push a', 'manifest push DESTINATION: it is missing (Where to)'],
    ['from a b', 'from b: one argument too many; it takes at most 1 argument'],
    ['containers a', 'containers a: one argument too many; it takes no arguments'],
    ['from --nam x', 'from --nam: there is no such flag; did you mean --name?'],
    ['from --zzzzz x', 'from --zzzzz: there is no such flag'],
    ['from --tls-verfy=false x', 'from --tls-verfy: there is no such flag; did you mean --tls-verify?'],
    ['from -z x', 'from -z: there is no such flag'],
    ['from -qz x', 'from -z: there is no such flag'],
    ['from --no-quiet x', 'from --no-quiet: there is no such flag; did you mean --quiet?'],
    ['from x --name', 'from --name: its value is missing (NAME)'],
    ['from x -qe', 'from -qe: its value is missing (NAME=VALUE)'],
    ['from --format doker x', 'from --format: "doker" is not one of oci, docker; did you mean docker?'],
    ['from --pull=sometimes x', 'from --pull: "sometimes" is not one of always, missing, never, newer'],
    ['from --pull= x', 'from --pull: "" is not one of always, missing, never, newer'],
    ['from --retries many x', 'from --retries: "many" is not a number'],
    ['from --retries= x', 'from --retries: "" is not a number'],
    ['from --quiet=maybe x', 'from --quiet: "maybe" is neither true nor false'],
    ['run --bogus c ls', 'run --bogus: there is no such flag'],
    ['run -- ', 'run CONTAINER: it is missing (Name of a container)'],
  ]
  for (const [line, message] of cases)
    it(line, () => {
      assert.throws(
        () => parse(line),
        (error) => {
          assert.ok(error instanceof BuilderError)
          assert.deepEqual([error.code, error.message], ['USAGE', message])
          return true
        },
      )
    })
})

function parse(line: string) {
  const words = line.split(' ').filter((word) => word !== '')
  const verb =
    verbs.find(({ name }) => name === `${words[0]} ${words[1]}`) ?? verbs.find(({ name }) => name === words[0])
  assert.ok(verb)
  return parseWords(verb, globals, words.slice(verb.name.split(' ').length))
}

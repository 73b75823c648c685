import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readVerbs } from '../../bin/generate/read.js'
import { helpOn } from '../../bin/help.js'
import type { VerbTable } from '../../bin/verb.js'
import { top } from '../lane.js'

const { verbs, globals } = readVerbs(join(top, 'test/bin/fixtures'))
const table: VerbTable = {
  version: '1.2.3',
  globals,
  verbs: verbs.map((verb) => ({ ...verb, load: async () => ({}) })),
}

const helpOnFrom = `Creates a working container from an image.

Usage: builder from [FLAGS] IMAGE

The image may be scratch.

More of it, with a FromResult:

- one
- two

Arguments
  IMAGE  scratch or a name.

Flags
      --name NAME          Name of the container.
      --pull[=VALUE]       When to fetch the image again. One of always,
                           missing, never, newer.
  -f, --format oci|docker  Form of the image. Default: oci.
  -e, --env NAME=VALUE     Variable of the environment.
      --retries NUMBER     Number of tries.
      --[no-]tls-verify    Check certificates.
      --no-hosts           Leave /etc/hosts alone.
  -t, --terminal           Give it a terminal. Also --tty.
      --entrypoint VALUE   A line, or its words.
  -q, --quiet              Print nothing but the result.

Standard output
  The container's name.

Example
  c=$(builder from scratch) # not a @tag

Other names: create

Global flags: builder --help
`

describe('help', () => {
  it('on a verb', () => assert.equal(helpOn(['from'], table), helpOnFrom))
  it('on a verb by its other name', () => assert.equal(helpOn(['create'], table), helpOnFrom))
  it('on a member of a group', () =>
    assert.match(helpOn(['manifest', 'create'], table), /^Usage: builder manifest create/m))
  it('on a group', () => assert.match(helpOn(['manifest'], table), /^ {2}create {2}Makes a manifest list$/m))
  it('on a verb without flags or arguments', () => assert.doesNotMatch(helpOn(['wait'], table), /Arguments|Example/))
  it('on all shows verbs and global flags', () => {
    const text = helpOn([], table)
    assert.match(text, /^ {2}from {13}Creates a working container from an image$/m)
    assert.match(text, /^ {2}--root DIR/m)
  })
  it('has bold headings on a terminal only', () => {
    assert.ok(helpOn([], table, { isBold: true }).includes('\x1b[1mVerbs\x1b[0m'))
    assert.ok(!helpOn([], table).includes('\x1b'))
  })

  for (const columns of [60, 80, 100])
    for (const name of ['', ...verbs.map((verb) => verb.name)])
      it(`on ${name || 'all'} fits into ${columns} columns`, () => {
        const lines = helpOn(name.split(' ').filter(Boolean), table, { columns }).split('\n')
        assert.deepEqual(
          lines.filter((line) => line.length > columns || line.endsWith(' ')),
          [],
        )
      })
})

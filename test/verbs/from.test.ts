import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { builder, tempDir } from '../lane.js'
import { refuses, said } from './cases.js'

before(async () => {
  await said('from', '--name', 'c', 'scratch')
  await said('commit', 'c', 'web')
})

test('prints the name alone, and writes the ID to a file', async (t) => {
  const file = join(tempDir(t), 'id')
  assert.match(await said('from', '--cidfile', file, '--tls-verify=false', '--authfile', '/x', 'web'), /^[\w.-]+$/)
  assert.match(readFileSync(file, 'utf8'), /^[0-9a-f]{64}$/)
})

test('a store that cannot be made is an error, not a wait', async () => {
  const { stderr, code } = await builder(['--root', '/proc/x', 'images'])
  assert.match(stderr, /^builder: open store \/proc\/x: /)
  assert.equal(code, 125)
})

refuses([
  [['from'], /^builder: from IMAGE: it is missing/],
  [['from', ''], /^builder: from "": there is no such image/],
  [['from', 'a', 'b'], /^builder: from b: one argument too many/],
  [['from', 'webb'], /^builder: from webb: there is no such image in the store, and .*; did you mean web\?/],
  [['from', 'unknown'], /^builder: from unknown: there is no such image in the store, and nothing says which registry/],
  [['from', 'unknown'], /; write the full name, as docker.io\/library\/unknown, or set unqualified-search-registries/],
  [
    ['from', '--pull=never', 'unknown'],
    /^builder: from unknown: there is no such image in the store; see builder images/,
  ],
  [
    ['from', '--pull', 'localhost/gone'],
    /^builder: from localhost\/gone: there is no such image in the store; see builder/,
  ],
  [['from', '--name', 'c', 'scratch'], /another container has this name; .*builder rm c/],
  [['from', '--name', 'a b', 'scratch'], /"a b": it is not a container name/],
  [['from', '--nmae', 'x', 'scratch'], /did you mean --name\?/],
  [['from', '--pull=sometimes', 'scratch'], /"sometimes" is not one of always, missing, never, newer/],
  [['from', '--isolation', 'vm', 'scratch'], /"vm" is not one of oci, rootless, chroot/],
  [['from', '--network', 'ns:/x', 'scratch'], /"ns:\/x" is not one of host, none, private/],
  [['from', '--cap-add', 'FOO', 'scratch'], /capability "FOO": there is no such capability/],
  [['from', '--volume', 'x', 'scratch'], /mount "x": it is not HOST:CONTAINER/],
  [['from', '--security-opt', 'x', 'scratch'], /security option "x": there is no such option/],
  [['from', '--platform', 'a b', 'web'], /platform "a b": it is not os\/arch/],
  [['from', '--platform', 'linux/s390x', 'web'], /the image is for linux\/\w+, not for the platform asked for/],
  [['from', '--memory', '1g', 'scratch'], /from --memory: there is no such flag/],
  [['from', 'docker://docker:x/y'], /"docker:\/\/docker:x\/y": it is not docker:\/\/.*a number for a port/],
  [['from', 'docker:x/y'], /docker:x\/y: .*"docker:x" is no host:port; a port is a number up to 65535/],
  [['from', 'localhost:65536/x'], /"localhost:65536" is no host:port/],
  [['from', 'docker://UPPER'], /"docker:\/\/UPPER": it is not docker:\/\/.*use lower-case letters/],
  [['from', 'sif:x'], /builder has no transport sif:/],
  [['from', 'oci:/nope'], /^builder: read image oci:\/nope: /],
])

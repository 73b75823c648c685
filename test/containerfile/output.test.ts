import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BuildOutput, outputNames, parseOutputs, writesToStdout } from '../../sdk/containerfile/output.js'

const rows: Readonly<Record<string, BuildOutput>> = {
  out: { type: 'local', dest: 'out', platformSplit: true },
  '-': { type: 'tar', dest: '-' },
  'type=local,dest=out': { type: 'local', dest: 'out', platformSplit: true },
  'type=local,dest=out,platform-split=false': { type: 'local', dest: 'out', platformSplit: false },
  'dest=a.tar,type=tar': { type: 'tar', dest: 'a.tar' },
  'type=oci,dest=a.tar': { type: 'oci', dest: 'a.tar', tar: true, names: [] },
  'type=oci,dest=layout,tar=false,name=web:1': { type: 'oci', dest: 'layout', tar: false, names: ['web:1'] },
  'type=docker,dest=-': { type: 'docker', dest: '-', names: [] },
  'type=docker,name=web': { type: 'docker', names: ['web'] },
  'type=image,"name=a,b",push=true': { type: 'image', push: true, names: ['a', 'b'] },
  'type=registry,name=r.example/a': { type: 'image', push: true, names: ['r.example/a'] },
  'type=image,name=a,compression=zstd,compression-level=19,force-compression=true,oci-mediatypes=false': {
    type: 'image',
    push: false,
    names: ['a'],
    compression: 'zstd',
    compressionLevel: 19,
    forceCompression: true,
    isDockerFormat: true,
  },
  'type=oci,dest=a,compression=uncompressed': { type: 'oci', dest: 'a', tar: true, names: [], compression: 'none' },
  'type=cacheonly': { type: 'cacheonly' },
}

for (const [text, output] of Object.entries(rows))
  test(`reads --output ${text}`, () => assert.deepEqual(parseOutputs([text]), [output]))

const refused: Readonly<Record<string, RegExp>> = {
  '': /^read --output "": it is empty; write -o DIR$/,
  'type=loacl,dest=x': /^read --output type=loacl,dest=x: it has an unknown type loacl; did you mean local\?$/,
  'type=local,dst=x': /it has an unknown dst= for type=local; did you mean dest\?$/,
  'type=tar': /it has no dest; write type=tar,dest=PATH$/,
  'type=local,dest=-': /a folder cannot go to standard output; write type=tar,dest=-$/,
  'dest=x': /it has no type; write type=local, type=tar/,
  'type=local,x': /"x" is not KEY=VALUE/,
  'type=image,push=yes': /push=yes is neither true nor false; write push=true$/,
  'type=oci,dest=a:b': /its dest has a colon; choose a path without one/,
  'type=image,compression=estargz': /compression=estargz is unknown; known are gzip, zstd and uncompressed$/,
  'type=image,compression-level=high': /compression-level=high is no number/,
}

for (const [text, message] of Object.entries(refused))
  test(`refuses --output ${text}`, () => assert.throws(() => parseOutputs([text]), { code: 'USAGE', message }))

test('only one output goes to standard output, and names are those of all', () => {
  assert.throws(() => parseOutputs(['-', 'type=oci,dest=-']), /only one of them can go to standard output/)
  const outputs = parseOutputs(['-', 'type=image,name=a', 'type=docker,name=b'])
  assert.deepEqual([outputNames(outputs), writesToStdout(outputs)], [['a', 'b'], true])
})

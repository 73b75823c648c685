import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { needs, top } from '../lane.js'
import { complaints, read, trackedFiles } from './source.js'

const bin = (name: string) => join(top, 'node_modules/.bin', name)

test('Biome has nothing to say', () => {
  assert.equal(complaints(bin('biome'), ['check', '--error-on-warnings', '.']), '')
})

test('the types hold', () => {
  assert.equal(complaints(bin('tsc'), ['-p', '.', '--noEmit']), '')
})

test('shellcheck has nothing to say', (t) => {
  if (!needs(t, 'shellcheck')) return
  const scripts = trackedFiles().filter((file) => file.endsWith('.sh') || /^#!.*\b(ba|da)?sh\b/.test(firstLine(file)))
  assert.ok(scripts.includes('.ci/run'))
  assert.equal(complaints('shellcheck', ['--external-sources', ...scripts]), '')
})

test('the generated files are what the verbs generate', (_t) => {
  assert.match(read('bin/build.mjs'), /--check/)
  assert.equal(complaints(process.execPath, ['bin/build.mjs', '--check']), '')
})

function firstLine(file: string): string {
  return /\.(png|gz|tar|wasm)$/.test(file) ? '' : (read(file).split('\n', 1)[0] ?? '')
}

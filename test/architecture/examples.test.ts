import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { top } from '../lane.js'
import { complaints, read, sources, trackedFiles } from './source.js'

test('the examples of the rooms type-check', (t) => {
  check(t, 'rooms', (code) => !usesPackage(code))
})

test('the examples of the package, its README and its documents type-check', (t) => {
  check(t, 'package', usesPackage)
})

test('every example says what it imports', () => {
  const bare = examples().filter(({ code }) => /\bawait\b|=>/.test(code) && !/^import /m.test(code))
  assert.deepEqual(
    bare.map(({ at }) => at),
    [],
  )
})

interface Example {
  /** The file and line that an author would look at. */
  readonly at: string
  readonly folder: string
  readonly code: string
}

// Below dist/, where the packages of node_modules are found and git does not look.
function check(t: TestContext, name: string, wanted: (code: string) => boolean): void {
  const chosen = examples().filter(({ code }) => wanted(code))
  assert.ok(chosen.length > 0)
  const folder = join(top, 'dist', `examples-${name}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [n, { at, code, folder: from }] of chosen.entries())
    writeFileSync(
      join(folder, `${n}.ts`),
      `/* ${at} */ export {};${code.replaceAll(/(from '|import\(')\.(?=\.?\/)/g, `$1${from}/.`)}`,
    )
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const problems = complaints(join(top, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'])
  assert.equal(
    problems.replace(/\S*?(\d+)\.ts\((\d+)/g, (_, n, line) => `${chosen[n]?.at} (line ${line} of the example`),
    '',
  )
}

const config = {
  extends: '../../tsconfig.json',
  compilerOptions: {
    noEmit: true,
    declaration: false,
    emitDeclarationOnly: false,
    noUnusedLocals: false,
    rootDir: '../..',
    paths: {
      'builder-sdk': ['../../sdk/index.ts'],
      'cpp-preprocess-wasm': ['../../sdk/cpp-preprocess-wasm/index.ts'],
    },
  },
  include: ['*.ts'],
  exclude: [],
}

function usesPackage(code: string): boolean {
  return /from 'builder-sdk/.test(code)
}

function examples(): Example[] {
  const comments = [...sources('sdk'), ...sources('bin')].flatMap((file) => inComments(file, read(file)))
  const documents = trackedFiles().filter((file) => file.endsWith('.md'))
  return [...comments, ...documents.flatMap((file) => blocks(file, read(file)))]
}

// Blanks the code, so that what is left is a document with the same lines.
function inComments(file: string, text: string): Example[] {
  const isComment = new Set([...text.matchAll(/^[ \t]*\/\*\*.*?\*\//gms)].flatMap((match) => lineRange(text, match)))
  const lines = text.split('\n').map((line, n) => (isComment.has(n) ? line.replace(/^\s*\* ?/, '') : ''))
  return blocks(file, lines.join('\n'))
}

function lineRange(text: string, match: RegExpMatchArray): number[] {
  const first = text.slice(0, match.index).split('\n').length - 1
  return match[0].split('\n').map((_, n) => first + n)
}

function blocks(file: string, text: string): Example[] {
  return [...text.matchAll(/^```ts[^\n]*(\n.*?)^```/gms)].map((match) => ({
    at: `${file}:${text.slice(0, match.index).split('\n').length}`,
    folder: join(top, dirname(file)),
    code: match[1] ?? '',
  }))
}

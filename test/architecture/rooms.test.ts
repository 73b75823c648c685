import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importsOf, read, sources, trackedFiles } from './source.js'

// A room may import from itself and from the rooms below it.
const rooms = [
  'door',
  'verbs',
  'containerfile',
  'farm',
  'steps',
  'distro',
  'runlabel',
  'runtime',
  'transport',
  'trust',
  'store',
  'layer',
  'image',
  'namespace',
  'cpp-preprocess-wasm',
]

test('the top level holds only what the design names', () => {
  const folders = /^(sdk|bin|recipes|test|docs|\.[^/]+)\//
  const files =
    /^(package\.json|package-lock\.json|tsconfig\.json|README\.md|LICENSE|CONTRIBUTING\.md|CHANGELOG\.md|\.[^/]+)$/
  assert.deepEqual(
    trackedFiles().filter((file) => !folders.test(file) && !files.test(file)),
    [],
  )
})

test('sdk has only the rooms, errors.ts and the TypeScript door', () => {
  const strangers = sources('sdk').filter(
    (file) => !rooms.includes(roomOf(file)) && ![...door, 'sdk/errors.ts'].includes(file),
  )
  assert.deepEqual(strangers, [])
})

test('imports go down', () => {
  const wrong = sources('sdk').flatMap((file) =>
    importsOf(file)
      .filter((target) => target.includes('/') && !mayImport(file, target))
      .map((target) => `${file} imports ${target}`),
  )
  assert.deepEqual(wrong, [])
})

test('recipes use the package as everybody does', () => {
  const wrong = sources('recipes').flatMap((file) =>
    importsOf(file)
      .filter((target) => target.startsWith('sdk/') || target.startsWith('bin/'))
      .map((target) => `${file} imports ${target}, not builder-sdk`),
  )
  assert.deepEqual(wrong, [])
})

test('no file imports itself through others', () => {
  const files = [...sources('sdk'), ...sources('bin'), ...sources('test')]
  const graph = new Map(files.map((file) => [file, importsOf(file).filter((target) => files.includes(target))]))
  assert.deepEqual(cycles(graph), [])
})

test('what is shipped imports only the packages that are installed with it', () => {
  const { dependencies } = JSON.parse(read('package.json'))
  const shipped = [...sources('sdk'), ...sources('bin')].filter((file) => !file.startsWith('bin/generate/'))
  const wrong = shipped.flatMap((file) =>
    importsOf(file)
      .filter((target) => !/^(node:|sdk\/|bin\/)/.test(target) && !(packageOf(target) in dependencies))
      .map((target) => `${file} imports ${target}`),
  )
  assert.deepEqual(wrong, [])
})

test('a file of sdk or bin has at most 300 lines', () => {
  const long = [
    ...sources('sdk'),
    ...sources('bin'),
    ...trackedFiles().filter((file) => /^bin\/[^/]+\.mjs$/.test(file)),
  ]
    .filter((file) => !file.includes('.gen.'))
    .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
    .filter(({ lines }) => lines > 300)
  assert.deepEqual(long, [])
})

// The TypeScript door stands on top of the rooms; errors.ts below them.
const door = ['sdk/index.ts', 'sdk/container.ts', 'sdk/door.ts', 'sdk/shell.ts']

function roomOf(file: string): string {
  return file.split('/')[1] ?? ''
}

function mayImport(file: string, target: string): boolean {
  if (target === 'sdk/errors.ts' || !/^(sdk|bin|test|recipes|docs|\.\.)\//.test(target)) return true
  if (door.includes(file)) return target.startsWith('sdk/')
  if (!target.startsWith('sdk/') || door.includes(target)) return false
  return file !== 'sdk/errors.ts' && rooms.indexOf(roomOf(file)) <= rooms.indexOf(roomOf(target))
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(' > '))
    if (done.has(file)) return
    done.add(file)
    for (const target of graph.get(file) ?? []) visit(target, [...path, file])
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { top } from '../lane.js'
import { read } from './source.js'

const expected = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^bin\/(builder|start\.cjs|verbs\.gen\.sh|completion\/builder\.(bash|zsh|fish))$/,
  /^dist\/(bin|cli|sdk)\/.*\.(js|d\.ts|wasm)$/,
  /^dist\/cli\/(engine|main|metadata)\.cjs$/,
  /^(docs|recipes)\//,
]
const unwanted = /\.map$|\.test\.|^dist\/bin\/generate\/|node_modules|\.log$/

test('the package holds nothing but what it ships', () => {
  const strangers = packed().filter((file) => unwanted.test(file) || !expected.some((pattern) => pattern.test(file)))
  assert.deepEqual(strangers, [])
})

test('the package holds every file that package.json promises', (_t) => {
  const { bin, exports, man } = JSON.parse(read('package.json'))
  const promised = [bin, exports, man ?? []].flatMap(filesIn)
  const started = ['main.cjs', 'metadata.cjs', 'engine.cjs'].map((name) => `dist/cli/${name}`)
  const files = packed()
  assert.deepEqual(
    [...promised, ...started, 'README.md', 'LICENSE', 'CHANGELOG.md'].filter((file) => !files.includes(file)),
    [],
  )
})

test('what package.json lists is there', (_t) => {
  const { files } = JSON.parse(read('package.json')) as { files: string[] }
  assert.deepEqual(
    files.filter((file) => !file.startsWith('!') && !existsSync(join(top, file))),
    [],
  )
})

function filesIn(value: unknown): string[] {
  if (typeof value === 'string') return [value.replace(/^\.\//, '')]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(filesIn) : []
}

function packed(): string[] {
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const [program = '', ...args] = [...npm, 'pack', '--dry-run', '--json', '--ignore-scripts']
  const env = { ...process.env, npm_config_loglevel: 'error' }
  const [{ files }] = JSON.parse(execFileSync(program, args, { cwd: top, env, encoding: 'utf8' }))
  return files.map(({ path }: { path: string }) => path)
}

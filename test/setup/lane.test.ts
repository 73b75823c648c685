import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { command, lane, needs, tempDir, top } from '../lane.js'

test('the lane is the one that the user id says', () => {
  assert.equal(lane(), process.getuid?.() === 0 ? 'root' : 'user')
})

for (const [name, mode] of [
  ['HOME', '700'],
  ['TMPDIR', '711'],
  ['XDG_RUNTIME_DIR', '700'],
] as const)
  test(`${name} is there, and nobody else can list it`, async () => {
    assert.match((await command(['stat', '-c', '%a', process.env[name] ?? name])).stdout, new RegExp(`^${mode}\n$`))
  })

test('files of mapped ids are removed with a temporary folder', async (t) => {
  if (!needs(t, 'newuidmap')) return
  let folder = ''
  await t.test('make them', async (t) => {
    folder = tempDir(t)
    mkdirSync(join(folder, 'private'))
    writeFileSync(join(folder, 'private/file'), '')
    const made = await command([
      ...inside(),
      'sh',
      '-c',
      `chown -R 33:33 ${folder}/private && chmod 700 ${folder}/private`,
    ])
    assert.deepEqual(made, { stdout: '', stderr: '', code: 0 })
  })
  assert.notEqual((await command(['ls', folder])).code, 0)
})

test('the way inside maps a full range of ids', async (t) => {
  if (!needs(t, 'newuidmap')) return
  const { stdout } = await command([...inside(), 'cat', '/proc/self/uid_map'])
  const sizes = stdout
    .trim()
    .split('\n')
    .map((line) => Number(line.trim().split(/\s+/)[2]))
  assert.ok(sizes.reduce((sum, size) => sum + size) > 65536, stdout)
})

test('a command gives its output and its exit code', async () => {
  const ran = await command(['sh', '-c', 'cat; echo oops >&2; exit 3'], { input: 'hello' })
  assert.deepEqual(ran, { stdout: 'hello', stderr: 'oops\n', code: 3 })
})

test('package.json starts both commands without node_modules', () => {
  const { scripts } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'))
  assert.deepEqual([scripts.start, scripts.test], ['node bin/start.mjs', 'node test/setup/run.mjs'])
})

function inside(): string[] {
  return process.getuid?.() === 0 ? [] : [process.execPath, join(top, 'test/setup/inside.mjs')]
}

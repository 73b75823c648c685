import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { builder, command, tempDir } from '../lane.js'
import { refuses, said } from './cases.js'

before(async () => {
  const folder = tempDir({ after })
  mkdirSync(join(folder, 'bin'))
  const { stdout } = await command(['sh', '-c', 'command -v busybox'])
  copyFileSync(stdout.trim(), join(folder, 'bin/busybox'))
  for (const name of ['sh', 'true', 'env']) symlinkSync('busybox', join(folder, 'bin', name))
  writeFileSync(join(folder, 'plain'), '')
  await said('from', '--name', 'c', 'scratch')
  await said('copy', '-q', 'c', folder, '/')
})

const codes: Readonly<Record<string, { words: readonly string[]; code: number }>> = {
  'its own': { words: ['c', 'sh', '-c', 'exit 3'], code: 3 },
  'its own 125': { words: ['c', '--', 'sh', '-c', 'exit 125'], code: 125 },
  '127 for no such command': { words: ['c', 'nope'], code: 127 },
  '126 for what is no program': { words: ['c', '/plain'], code: 126 },
}
for (const [title, { words, code }] of Object.entries(codes))
  test(`the exit code of a command is ${title}`, async () => {
    assert.equal((await builder(['run', ...words])).code, code)
  })

refuses([
  [['run'], /^builder: run CONTAINER: it is missing/],
  [['run', 'nope', 'true'], /^builder: run nope: there is no such container/],
  [['run', '--cap-add', 'FOO', 'c', 'true'], /capability "FOO": there is no such capability/],
  [['run', '--volume', 'x', 'c', 'true'], /mount "x": it is not HOST:CONTAINER/],
  [['run', '--volume', '/tmp:/x:bogus', 'c', 'true'], /there is no option "bogus"; known are/],
  [['run', '--mount', 'type=x,dst=/x', 'c', 'true'], /there is no type "x"; known are bind, tmpfs, cache/],
  [['run', '--mount', 'type=tmpfs', 'c', 'true'], /destination is missing; add dst=\/path/],
  [['run', '--isolation', 'vm', 'c', 'true'], /"vm" is not one of/],
  [['run', '--network', 'x', 'c', 'true'], /"x" is not one of default, host, none, private/],
  [['run', '--env', '=x', 'c', 'true'], /variable "=x": it has no name/],
  [['run', '--user', 'nope', 'c', 'true'], /user "nope": it is not in \/etc\/passwd of the container/],
  [['run', '--hostname', 'a b', 'c', 'true'], /hostname "a b": it is not a host name/],
  [['run', '--ipc', 'host', 'c', 'true'], /run --ipc: there is no such flag/],
])

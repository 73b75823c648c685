import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { currentIdMap, idError, isMapped, rangesOf } from '../../sdk/namespace/idmap.js'
import { tempDir, top } from '../lane.js'

const user = { name: 'web', uid: 1000, gid: 1000 }

const files: readonly (readonly [string, string, string])[] = [
  ['a range by name', 'other:1:9\nweb:100000:65536\n', '1 100000 65536'],
  ['a range by number', '1000:100000:65536\n', '1 100000 65536'],
  ['several ranges follow each other inside', 'web:100000:1000\n1000:300000:50\n', '1 100000 1000 1001 300000 50'],
  ['the same line by name and by number', 'web:100000:65536\n1000:100000:65536\n', '1 100000 65536'],
  ['ranges that overlap', 'web:100000:65536\nweb:165535:9\nweb:165536:9\n', '1 100000 65536 65537 165536 9'],
  ["a range with the user's own id", 'web:1000:1\nweb:900:200\nweb:1001:5\n', '1 1001 5'],
  ['no line feed at the end', 'web:100000:65536', '1 100000 65536'],
  ['lines that are none', '\nweb\nweb:\nweb:a:1\nweb:1:-1\nweb:5:0\nweb:5:\nweb::5\n:::\nweb:7:1\n', '1 7 1'],
  ['nobody', 'webmaster:100000:65536\n10000:1:1\n', ''],
  ['an empty file', '', ''],
]
for (const [title, text, expected] of files) {
  test(`${title}: the launcher and the SDK map the same`, (t) => {
    const file = join(tempDir(t), 'subuid')
    writeFileSync(file, text)
    const ranges = rangesOf(user, text, user.uid)
    assert.equal(ranges.flatMap(({ inside, outside, size }) => [inside, outside, size]).join(' '), expected)
    for (const shell of [['dash'], ['bash'], ['busybox', 'ash']]) {
      const [program = '', ...args] = shell
      const script = `user=web uid=1000 ranges=''\n${launcherFunctions()}\nread_ranges "$1" 1000; echo $ranges`
      const ran = spawnSync(program, [...args, '-c', script, 'sh', file], { encoding: 'utf8' })
      assert.deepEqual([ran.stdout.trim(), ran.stderr], [expected, ''], program)
    }
  })
}

function launcherFunctions(): string {
  const text = readFileSync(join(top, 'bin/builder'), 'utf8')
  return ['read_ranges', 'is_new']
    .map((name) => new RegExp(`^${name}\\(\\) \\{$[^]+?^\\}$`, 'm').exec(text)?.[0])
    .join('\n')
}

test('an id is mapped when a range of the current map has it', () => {
  const [first] = currentIdMap().uids
  assert.equal(isMapped('uid', first?.inside ?? -1), true)
  assert.equal(isMapped('gid', 2 ** 32), false)
})

test('the message for an id outside the map names the id, the path, the user, the size and the file', () => {
  const error = idError('unpack layer', '/srv/x', 2 ** 32, 0)
  assert.equal(error.code, 'ID_MAP')
  assert.match(
    error.message,
    /uid 4294967296 of \/srv\/x is outside the id map of user \S+ \(\d+ ids\); add a larger range/,
  )
  assert.match(idError('unpack layer', '/srv/x', 0, 2 ** 32).message, /gid 4294967296 .* \/etc\/subgid/)
})

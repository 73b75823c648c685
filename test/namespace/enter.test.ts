import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { spawnInside } from '../../sdk/namespace/enter.js'
import { isInside } from '../../sdk/namespace/inside.js'
import { tempDir } from '../lane.js'

/** What only one of the two can show: who is inside already, and a plain user. */
const testInside = isInside() ? test : notHere
const testOutside = isInside() ? notHere : test

test('the program is root, has the arguments as they are, and the working directory', async () => {
  const ran = await run(['sh', '-c', 'id -u; pwd; printf %s "$1"', 'sh', 'a  "b"\n$c'])
  assert.deepEqual(ran, { output: `0\n${process.cwd()}\na  "b"\n$c`, code: 0 })
})

test("the exit code is the program's", async () => {
  assert.deepEqual(await run(['sh', '-c', 'exit 7']), { output: '', code: 7 })
})

testInside('who is inside already stays in the same namespace', async () => {
  const { output } = await run(['readlink', '/proc/self/ns/mnt'])
  assert.equal(output.trim(), readlinkSync('/proc/self/ns/mnt'))
})

testOutside('own id is 0 and all capabilities are there', async () => {
  const { output } = await run(['sh', '-c', 'head -1 /proc/self/uid_map; grep CapEff /proc/self/status'])
  assert.match(output, new RegExp(`^\\s*0\\s+${process.getuid?.()}\\s+1\n`))
  assert.match(output, /CapEff:\s+0*1ffffffffff\n/)
})

testOutside('a mount stays in the namespace', async (t) => {
  const folder = tempDir(t)
  assert.equal((await run(['mount', '-t', 'tmpfs', 'none', folder])).code, 0)
  assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'latin1'), new RegExp(folder))
})

for (const refusing of ['newuidmap', 'newgidmap']) {
  testOutside(`one id is mapped where ${refusing} refuses`, async (t) => {
    const PATH = `${refuse(tempDir(t), refusing)}:${process.env.PATH}`
    const before = process.env.PATH
    process.env.PATH = PATH
    t.after(() => {
      process.env.PATH = before
    })
    const { output, code } = await run(['sh', '-c', `id -u; cat /proc/self/${refusing.slice(3, 6)}_map`])
    assert.deepEqual(
      [output.trim().split(/\s+/), code],
      [['0', '0', `${refusing === 'newuidmap' ? process.getuid?.() : process.getgid?.()}`, '1'], 0],
    )
  })
}

function notHere(_title: string, _body: (t: TestContext) => Promise<void>): void {}

/** A folder with a program of that name that fails. */
function refuse(folder: string, program: string): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, program), '#!/bin/sh\nexit 1\n')
  chmodSync(join(bin, program), 0o755)
  return bin
}

async function run(argv: readonly string[]) {
  const child = await spawnInside(argv, { stdio: ['ignore', 'pipe', 'inherit'], env: process.env })
  const code = new Promise((resolve) => child.once('exit', resolve))
  return { output: child.stdout ? await text(child.stdout) : '', code: await code }
}

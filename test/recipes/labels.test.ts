import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually } from '../eventually.js'
import { command, lane, needs, type Ran, tempDir, top } from '../lane.js'

const folder = tempDir({ after })
const recipes = join(top, 'recipes')

/** As a user has it: builder on the PATH, a store of its own. */
function own(words: readonly string[]): Promise<Ran> {
  const env = {
    PATH: `${join(top, 'bin')}${delimiter}${process.env.PATH}`,
    BUILDER_ROOT: join(folder, 'root'),
    BUILDER_RUNROOT: join(folder, 'run'),
    SOURCE_DATE_EPOCH: '1700000000',
  }
  return command(words, { env, cwd: recipes })
}

async function printed(...words: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await own(words)
  assert.equal(code, 0, stderr)
  return stdout.trim()
}

before(async () => {
  assert.match(await printed('sh', 'tools-spc.sh'), /^[0-9a-f]{64}$/)
  assert.match(await printed(join(top, 'node_modules/.bin/tsx'), 'service.ts'), /^[0-9a-f]{64}$/)
})

test('each is short, and the shell recipe is clean under shellcheck', async (t) => {
  for (const name of ['tools-spc.sh', 'service.ts'])
    assert.ok(readFileSync(join(recipes, name), 'utf8').split('\n').length <= 41, name)
  if (!needs(t, 'shellcheck')) return
  assert.equal((await command(['shellcheck', join(recipes, 'tools-spc.sh')])).stdout, '')
})

test('the tools see the host, and say before what they will ask for', async () => {
  const asks = await printed('builder', 'inspect', '--runlabels', 'tools')
  for (const words of [
    'all privileges',
    'all files of this machine',
    'the network of this machine',
    'the processes of this',
  ])
    assert.ok(asks.includes(words), asks)
  assert.equal((await own(['builder', 'runlabel', 'run', 'tools', 'ls'])).code, 125, 'nobody allowed it')
  const look =
    'cat /host/etc/hostname; echo $HOST $NAME; readlink /proc/self/ns/pid 2>/dev/null || ls -l /proc/self/ns/pid'
  const { stdout, stderr, code } = await own(['builder', 'runlabel', '--yes', 'run', 'tools', '--', 'sh', '-c', look])
  assert.equal(code, 0, stderr)
  const [name, words, pid = ''] = stdout.trim().split('\n')
  assert.deepEqual([name, words], [readFileSync('/etc/hostname', 'utf8').trim(), '/host tools'])
  assert.ok(pid.endsWith((await command(['readlink', '/proc/self/ns/pid'])).stdout.trim()), pid)
  if (lane() !== 'root') assert.match(stderr, /is a plain user and gives what a plain user has/)
  assert.equal(await printed('builder', 'containers', '-q'), '')
})

test('the service is installed, run, stopped and removed by its labels', async () => {
  const units = join(folder, 'units of mine')
  mkdirSync(units)
  const label = (...words: readonly string[]) => printed('builder', 'runlabel', '--yes', ...words, 'ticker')
  await label('--opt1', units, 'install')
  assert.match(
    readFileSync(join(units, 'ticker.service'), 'utf8'),
    /ExecStart=builder runlabel --yes run localhost\/ticker/,
  )
  const id = await label('run')
  assert.equal(await printed('builder', 'containers', '-q'), id)
  await eventually(async () => (await printed('builder', 'logs', 'ticker')).startsWith('tick'), 'the service ticks')
  const again = await label('run')
  assert.notEqual(again, id, '--replace made another one')
  await label('stop')
  assert.equal(await printed('builder', 'containers', '-q'), '')
  await label('--opt1', units, 'uninstall')
  assert.deepEqual(readdirSync(units), [])
})

test('the same labels are a quadlet and a manifest', async () => {
  assert.match(
    await printed('builder', 'generate', 'quadlet', 'tools'),
    /\nVolume=\/:\/host\n.*\nPodmanArgs=--privileged\n/s,
  )
  assert.match(await printed('builder', 'generate', 'kube', 'tools'), /hostPID: true/)
})

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { FromOptions } from '../../sdk/index.js'
import { type Container, from } from '../../sdk/index.js'
import { command, tempDir } from '../lane.js'
import { container, inRoot, places } from './rooted.js'

const src = tempDir({ after })
mkdirSync(join(src, 'site'))
writeFileSync(join(src, 'site/index'), 'hello')
writeFileSync(join(src, 'late'), 'late')

before(async () => {
  await using c = await container()
  const busybox = (await command(['sh', '-c', 'command -v busybox'])).stdout.trim()
  await c.copy([busybox], undefined, { closure: true })
  await inRoot(c, `mkdir -p bin tmp count; test -e bin/sh || ln -s ${busybox} bin/sh`)
  for (const name of ['cat', 'wc', 'env']) await inRoot(c, `test -e bin/${name} || ln -s ${busybox} bin/${name}`)
  await c.config({ env: ['PATH=/bin:/usr/bin'] })
  await c.commit('base')
})

const mount = ['type=cache,dst=/count,id=count']

/** How often the runs of {@link recipe} were executed in this file's store. */
async function executed(): Promise<number> {
  await using c = await container('base')
  return Number((await c.run(['sh', '-c', 'cat /count/* | wc -l'], { mount, quiet: true })).stdout)
}

async function recipe(options: FromOptions = {}): Promise<{ id: string; said: readonly string[] }> {
  await using c = await from('base', { ...places, layers: true, ...options })
  await c.copy(join(src, 'site/'), '/srv/')
  const first = await c.run(['sh', '-c', 'echo >>/count/1; cat /srv/index; echo err >&2; echo made >/made'], {
    mount,
    quiet: true,
  })
  const shell = c.$({ quiet: true })
  const second = await shell`cat /made; echo ${'a b'} >/more`
  await c.copy(join(src, 'late'), '/late')
  const third = await c.run(['sh', '-c', 'echo >>/count/3; cat; cat /late /more'], {
    mount,
    input: 'said ',
    quiet: true,
  })
  const { id } = await c.commit()
  return { id, said: [first.stdout, first.stderr, second.stdout, third.stdout] }
}

test('a script that runs twice executes nothing the second time', async () => {
  const before = await executed()
  const first = await recipe()
  assert.deepEqual(first.said, ['hello', 'err\n', 'made\n', 'said latea b\n'])
  assert.equal(await executed(), before + 2)
  assert.deepEqual(await recipe(), first)
  assert.equal(await executed(), before + 2)
  writeFileSync(join(src, 'late'), 'later')
  assert.equal((await recipe()).said[3], 'said latera b\n')
  assert.equal(await executed(), before + 3)
  assert.notEqual((await recipe({ cache: false })).id, first.id)
  assert.equal(await executed(), before + 5)
})

test('a command that is given input is another step with another input', async () => {
  const say = async (input: string) => {
    await using c = await container('base', { layers: true })
    return (await c.run(['sh', '-c', 'cat; cat >>/count/2; wc -l </count/2'], { mount, input, quiet: true })).stdout
  }
  const [one, other, again] = [await say('one'), await say('other'), await say('one')]
  assert.notEqual(one, other)
  assert.equal(again, one)
})

test('a command that fails throws, and is executed again', async () => {
  const fail = (c: Container) => c.run(['sh', '-c', 'echo >>/count/4; echo why >&2; exit 3'], { mount, quiet: true })
  const before = await executed()
  for (let i = 0; i < 2; i++) {
    await using c = await container('base', { layers: true })
    await assert.rejects(fail(c), { name: 'RunError', exitCode: 3, stderr: 'why\n' })
  }
  assert.equal(await executed(), before + 2)
})

test('what is piped into $ arrives', async () => {
  await using c = await container('base', { layers: true })
  const shell = c.$({ quiet: true })
  assert.equal((await shell({ input: 'given' })`cat`).stdout, 'given')
  assert.equal((await shell`echo piped`.pipe(shell`cat`)).stdout, 'piped\n')
})

test('a secret is in no key, no cache and no image', async () => {
  const secret = 'S3cr3t-4f8d1c'
  process.env.TEST_SECRET = secret
  const use = async () => {
    await using c = await container('base', { layers: true })
    const options = { mount: ['type=secret,id=token'], secret: ['id=token,env=TEST_SECRET'], quiet: true }
    const { stdout } = await c.run(['sh', '-c', 'cat /run/secrets/token; wc -c </run/secrets/token >/size'], options)
    await c.commit('with-secret')
    return stdout
  }
  const before = readdirSync(join(places.root, 'cache/steps')).length
  assert.doesNotMatch(await use(), /S3cr3t/)
  process.env.TEST_SECRET = 'another-value'
  assert.doesNotMatch(await use(), /another|S3cr3t/)
  assert.equal(readdirSync(join(places.root, 'cache/steps')).length, before + 1)
  for (const word of [secret, Buffer.from(secret).toString('base64').slice(0, -3)])
    assert.deepEqual(holding(places.root, word), [])
})

/** Files below a folder that hold a text. */
function holding(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => readFileSync(path).includes(text))
}

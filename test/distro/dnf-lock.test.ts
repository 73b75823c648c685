import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { newDnfScene, unsigned } from './dnf-scene.js'
import { rpmRepository } from './rpm-repository.js'

const { url, folder } = await rpmRepository()
const scene = newDnfScene()
const lock = scene.at('httpd.lock')
let golden = ''

before(async () => {
  golden = await locked(url)
})

/** An image with httpd, by the lock. */
async function locked(repository: string, ...more: readonly string[]): Promise<string> {
  const c = await scene.from('scratch')
  await scene.ok(['dnf', c, 'install', ...unsigned(repository), '--lock', lock, 'httpd', ...more])
  return scene.ok(['commit', '-q', '--rm', c])
}

test('the lock has the exact packages, with the digests of their files', () => {
  const written = JSON.parse(readFileSync(lock, 'utf8'))
  const digest = (file: string) =>
    `sha256:${createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex')}`
  const at = (name: string, version: string, epoch?: number) => {
    const location = `${name}-${version}-1.x86_64.rpm`.replace('x86_64', arch)
    const where = { arch, repository: 'test', location, checksum: digest(location) }
    return { name, ...(epoch && { epoch }), version, release: '1', ...where }
  }
  const arch = written.packages[0].arch
  assert.deepEqual(written.packages, [at('busybox', '1.35'), at('filesystem', '3.18'), at('httpd', '2.4.1', 1)])
  assert.equal(written.manager, 'dnf')
})

test('a repository with something newer gives the same image', async () => {
  const before = readFileSync(lock)
  assert.equal(await locked((await rpmRepository('both')).url), golden)
  assert.deepEqual(readFileSync(lock), before)
})

test('what is gone from the repository is named', async () => {
  const c = await scene.from('scratch')
  const { url: later } = await rpmRepository('later')
  await scene.leaves(
    c,
    ['install', ...unsigned(later), '--lock', lock, 'httpd'],
    [/no repository has any more/, /httpd-1:2\.4\.1-1/],
  )
})

const damaged: Readonly<Record<string, readonly [change: (text: string) => string, ...says: readonly RegExp[]]>> = {
  'that is cut': [(text) => text.slice(0, 100), /httpd-damaged\.lock: it is not valid JSON; remove the file/],
  'of apt': [(text) => text.replace('"dnf"', '"apt"'), /it is a lock of apt, not of dnf/],
  'with another digest': [
    (text) => text.replace(/[0-9a-f]{64}/, 'a'.repeat(64)),
    /no repository has any more/,
    /busybox/,
  ],
}
for (const [title, [change, ...says]] of Object.entries(damaged))
  test(`a lock ${title} is refused`, async () => {
    const c = await scene.from('scratch')
    const file = scene.at('httpd-damaged.lock')
    writeFileSync(file, change(readFileSync(lock, 'utf8')))
    await scene.leaves(c, ['install', ...unsigned(url), '--lock', file, 'httpd'], says)
  })

test('a lock of another request is refused', async () => {
  const c = await scene.from('scratch')
  await scene.leaves(
    c,
    ['install', ...unsigned(url), '--lock', lock, 'httpd', 'setuid-program'],
    [/it is the lock of another request/, /setuid-program/],
  )
})

test('a transaction that fails writes no lock', async () => {
  const c = await scene.from('scratch')
  const file = scene.at('failed.lock')
  await scene.leaves(c, ['install', ...unsigned(url), '--lock', file, 'busybox', 'failing-post'], [/failing-post/])
  assert.ok(!existsSync(file))
})

test('a folder that is not there takes no lock', async () => {
  const c = await scene.from('scratch')
  const file = scene.at('nowhere/httpd.lock')
  await scene.leaves(
    c,
    ['install', ...unsigned(url), '--lock', file, 'httpd'],
    [/write lock file \S+\/nowhere: it does not exist; check the name/],
  )
})

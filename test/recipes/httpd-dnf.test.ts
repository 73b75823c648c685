import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { newDnfScene } from '../distro/dnf-scene.js'
import { rpmKeys, rpmRepository } from '../distro/rpm-repository.js'
import { command, needs, top } from '../lane.js'

const scene = newDnfScene()
const [repository, keys] = await Promise.all([rpmRepository('signed'), rpmKeys()])
let image = ''

before(async () => {
  image = await recipe('shell', 'sh', 'httpd-dnf.sh')
})

/** What a recipe prints, run in a folder of its own, where builder-sdk is installed as npm would, by a link. */
async function recipe(name: string, ...argv: readonly string[]): Promise<string> {
  const cwd = scene.at(name)
  mkdirSync(join(cwd, 'node_modules'), { recursive: true })
  writeFileSync(join(cwd, 'package.json'), '{ "type": "module" }')
  symlinkSync(top, join(cwd, 'node_modules/builder-sdk'))
  for (const file of ['httpd-dnf.sh', 'httpd-dnf.ts']) cpSync(join(top, 'recipes', file), join(cwd, file))
  const env = {
    PATH: `${join(top, 'bin')}:${process.env.PATH}`,
    BUILDER_ROOT: scene.root,
    BUILDER_RUNROOT: scene.at('run'),
    REPO: repository.url,
    KEY: keys.signing,
  }
  const { code, stdout, stderr } = await command(argv, { cwd, env })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^[0-9a-f]{64}\n$/)
  assert.ok(existsSync(join(cwd, 'httpd.lock')), 'the lock is not where the recipe was started')
  return stdout.trim()
}

test('the shell recipe makes an image that serves the page', async () => {
  const c = await scene.from('httpd')
  const script = '"$@" & until wget -qO- http://127.0.0.1/; do sleep 0.1; done'
  const words = ['run', '--network', 'none', c, '--', 'sh', '-c', script, 'sh', '/usr/sbin/httpd', '-DFOREGROUND']
  assert.equal(await scene.ok(words), 'hello from a container')
  await scene.ok(['rm', c])
  const format = '{{.OCIv1.Config.Cmd}} {{.OCIv1.Config.ExposedPorts}}'
  assert.equal(
    await scene.ok(['inspect', '--type', 'image', '-f', format, image]),
    '[/usr/sbin/httpd -DFOREGROUND] map[80:map[]]',
  )
})

test('the TypeScript recipe makes the same image', async () => {
  assert.equal(await recipe('typescript', join(top, 'node_modules/.bin/tsx'), 'httpd-dnf.ts'), image)
})

test('in a session it is the same image', async () => {
  assert.equal(await recipe('session', join(top, 'bin/builder'), 'recipe', 'httpd-dnf.sh'), image)
})

test('no recipe leaves a container behind', async () => {
  assert.equal(await scene.ok(['containers', '-q']), '')
})

test('the shell recipe is clean under shellcheck', async (t) => {
  if (!needs(t, 'shellcheck')) return
  assert.equal((await command(['shellcheck', join(top, 'recipes/httpd-dnf.sh')])).stdout, '')
})

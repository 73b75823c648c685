import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { eventually, furnished, isRunning, launcher } from '../bin/in-session.js'
import { command, tempDir, top } from '../lane.js'

const sdk = pathToFileURL(join(top, 'dist/sdk/index.js')).href

test('a script that is started at a prompt with a session is answered by its engine', async (t) => {
  const folder = tempDir(t)
  const store = await furnished(t)
  writeFileSync(
    join(folder, 'script.mjs'),
    `import { from, images, inspect } from ${JSON.stringify(sdk)}
     import { execFileSync } from 'node:child_process'
     const c = await from('scratch', { name: 'd' })
     await c.copy(process.argv[2], '/copied')
     const { config } = await inspect('d', { type: 'container' }).then(() => ({ config: 'known' }))
     await from('nothing').catch((error) => console.log(error.code, error.message.split(';')[0]))
     const children = execFileSync('ps', ['-o', 'args=', '--ppid', String(process.pid)], { encoding: 'utf8' })
     console.log(config, children.includes('engine-main'))
     await c.commit('e')
     console.log((await images()).length)`,
  )
  const script = `eval "$("$B" session)"; node ${folder}/script.mjs ${folder}/script.mjs; "$B" run c -- true && "$B" images -q | wc -l`
  const env = { B: launcher, BUILDER_ROOT: join(store, 'root'), BUILDER_RUNROOT: join(store, 'run') }
  const ran = await command(['sh', '-c', script], { env })
  assert.equal(ran.stderr, '')
  assert.match(ran.stdout, /^NOT_FOUND .*nothing.*\nknown false\n1\n1\n$/)
})

test('what a script began in a session ends with the script, and the session lives on', async (t) => {
  const folder = tempDir(t)
  const store = await furnished(t)
  writeFileSync(
    join(folder, 'script.mjs'),
    `import { from, Container, inspect } from ${JSON.stringify(sdk)}
     const { ContainerID } = await inspect('c', { type: 'container' })
     const c = new Container({ id: ContainerID, name: 'c' })
     setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1500)
     await c.run(['sleep', '1000'])`,
  )
  const script = `eval "$("$B" session)"; echo "$BUILDER_SESSION"; node ${folder}/script.mjs; sleep 1; "$B" run c -- ls /proc | grep -c '^[0-9]'; read -r _`
  const env = { ...process.env, B: launcher, BUILDER_ROOT: join(store, 'root'), BUILDER_RUNROOT: join(store, 'run') }
  const child = spawn('sh', ['-c', script], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (text) => {
    said += text
  })
  await eventually(() => said.split('\n').length > 2, 'the run after it')
  assert.match(said, /\n1\n$/)
  const left = await command(['pgrep', '-f', `${store}.*sleep`])
  assert.equal(left.stdout, '')
  const engine = Number(said.split('\n')[0]?.split('/').at(-1))
  assert.equal(await isRunning(engine), true)
  child.stdin.end('\n')
  await eventually(async () => !(await isRunning(engine)), 'the engine')
})

test('a call that reaches a busy engine together with the word before it is answered', async (t) => {
  const folder = tempDir(t)
  const store = await furnished(t)
  writeFileSync(
    join(folder, 'script.mjs'),
    `import { from } from ${JSON.stringify(sdk)}
     const engine = Number(process.env.BUILDER_SESSION.split('/').at(-1))
     process.kill(engine, 'SIGSTOP')
     const asked = from('scratch', { name: 'd' })
     setTimeout(() => process.kill(engine, 'SIGCONT'), 300)
     console.log((await asked).name)`,
  )
  const script = `eval "$("$B" session)"; timeout 20 node ${folder}/script.mjs`
  const env = { B: launcher, BUILDER_ROOT: join(store, 'root'), BUILDER_RUNROOT: join(store, 'run') }
  const ran = await command(['sh', '-c', script], { env })
  assert.deepEqual([ran.stdout, ran.stderr], ['d\n', ''])
})

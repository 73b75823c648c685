import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { top } from '../lane.js'
import { busyboxContainer, newScene } from './scene.js'

for (const signal of ['SIGKILL', 'SIGTERM'] as const)
  test(`a script that ${signal} ends leaves no command running in a container`, async (t) => {
    const scene = newScene(t)
    const container = await busyboxContainer(scene)
    const seconds = `${86_400 + Math.floor(Math.random() * 1e6)}`
    const source = [
      `import { Container } from '${join(top, 'dist/sdk/index.js')}'`,
      `const c = new Container({ id: '${await scene.ok(['inspect', '--format', '{{.ContainerID}}', container])}', name: 'c' }, { root: '${scene.at('root')}', runroot: '${scene.at('run')}' })`,
      `await c.run(['/bin/sleep', '${seconds}'])`,
    ].join('\n')
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'ignore' })
    await until(() => sleeping(seconds))
    child.kill(signal)
    await once(child, 'exit')
    await scene.ok(['prune'])
    await until(() => !sleeping(seconds))
    assert.match(await scene.ok(['check', '--deep']), /^the store is whole/)
    await scene.ok(['rm', '--all'])
  })

function sleeping(seconds: string): boolean {
  return readdirSync('/proc').some((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1') === `/bin/sleep\0${seconds}\0`
    } catch {
      return false
    }
  })
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 50)))
    assert.ok(Date.now() < deadline, 'it took too long')
}

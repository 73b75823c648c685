import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../eventually.js'
import { needs, tempDir } from '../lane.js'

test('a program of the host ends when its builder is killed', async (t) => {
  if (!needs(t, 'setpriv')) return
  const file = join(tempDir(t), 'pid')
  const module = new URL('../../sdk/distro/host-run.js', import.meta.url).href
  const script = `import { runOnHost } from '${module}'
    await runOnHost(['sh', '-c', 'echo $$ >${file}; exec sleep 1000'], { operation: 'test' })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  const pid = () => (existsSync(file) ? readFileSync(file, 'utf8').trim() : '')
  await eventually(() => pid() !== '', 'the program')
  child.kill('SIGKILL')
  try {
    await eventually(() => !existsSync(`/proc/${pid()}/exe`), 'its end')
  } catch (error) {
    process.kill(Number(pid()), 'SIGKILL')
    throw error
  }
})

// Takes a lock and does what it is told: `hold` keeps it until stdin ends, `count N` adds one to a number N times.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { acquireLock, withLock } from '../../sdk/store/locks.js'

const [root = '', what, argument = ''] = process.argv.slice(2)
const store = { root, runroot: root }

if (what === 'count') {
  const path = join(root, 'number')
  for (let i = 0; i < Number(argument); i++)
    await withLock(store, 'number', async () => {
      const number = Number(readFileSync(path, 'utf8'))
      await new Promise((resolve) => setImmediate(resolve))
      // In one step: the kill must not fall between emptying the file and filling it.
      writeFileSync(`${path}.${process.pid}`, String(number + 1))
      renameSync(`${path}.${process.pid}`, path)
    })
} else {
  const lock = await acquireLock(store, 'held', { shared: what === 'share', purpose: 'hold it for a test' })
  console.log('held')
  for await (const _ of process.stdin);
  lock.release()
}

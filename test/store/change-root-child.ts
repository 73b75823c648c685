// Changes a container's root again and again, saying the number of each change that is done, and is killed in the middle of
// one: the first is done in peace, and in the second another thread kills the process after a fraction of the time that the
// first one took from its decision on.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { changeRoot } from '../../sdk/store/change-root.js'
import { useRoot } from '../../sdk/store/mounts.js'

if (isMainThread) await main()
else watch(workerData as SharedArrayBuffer)

async function main() {
  const [root = '', runroot = '', id = '', , fraction = '0'] = process.argv.slice(2)
  const store = { root, runroot, driver: 'overlay' as const }
  const shared = new SharedArrayBuffer(8)
  await new Promise((resolve) => new Worker(new URL(import.meta.url), { workerData: shared }).on('online', resolve))
  const microseconds = new Int32Array(shared)
  let number = await numberOf(store, id)
  console.log(number)
  let took = 0
  for (let turn = 0; ; turn++) {
    let began = 0
    await changeRoot(store, id, 'test', async (path) => {
      change(path, number + 1)
      began = performance.now()
      if (turn === 0) return
      Atomics.store(microseconds, 0, 1 + Math.floor(took * 1000 * Number(fraction)))
      Atomics.notify(microseconds, 0)
    })
    took = performance.now() - began
    console.log(++number)
  }
}

async function numberOf(store: Parameters<typeof useRoot>[0], id: string): Promise<number> {
  const { readdirSync } = await import('node:fs')
  await using root = await useRoot(store, id)
  return Number(readdirSync(join(root.path, 'numbers/0'))[0]?.split('-')[0])
}

function change(root: string, number: number): void {
  rmSync(join(root, 'numbers'), { recursive: true, force: true })
  for (let i = 0; i < 40; i++) {
    mkdirSync(join(root, `numbers/${i % 4}`), { recursive: true })
    writeFileSync(join(root, `numbers/${i % 4}/${number}-${i}`), `${number}`)
  }
}

function watch(shared: SharedArrayBuffer) {
  const microseconds = new Int32Array(shared)
  Atomics.wait(microseconds, 0, 0)
  const end = performance.now() + Atomics.load(microseconds, 0) / 1000
  while (performance.now() < end);
  process.kill(process.pid, 'SIGKILL')
}

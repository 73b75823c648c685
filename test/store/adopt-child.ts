// Commits two containers in turn, saying what it has done, and is killed in the middle of one: `turns` are done in
// peace, and in the next one a second thread kills the process after a fraction of the time that a turn took. The second
// container gets the same files as the first one, so that its layer is in the store already.
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { findContainer } from '../../sdk/store/containers.js'
import { addImage } from '../../sdk/store/images.js'
import { adopt, manifestOf, write } from './commit.js'

if (isMainThread) await main()
else watch(workerData as SharedArrayBuffer)

async function main() {
  const [root = '', start = '0', turns = '0', fraction = '0'] = process.argv.slice(2)
  const store = { root, runroot: root }
  const shared = new SharedArrayBuffer(8)
  const started = new Promise((resolve) =>
    new Worker(new URL(import.meta.url), { workerData: shared }).on('online', resolve),
  )
  await started
  const microseconds = new Int32Array(shared)
  let took = 0
  for (let turn = 0; ; turn++) {
    const name = turn % 2 === 0 ? 'first' : 'second'
    const i = Number(start) + Math.floor(turn / 2)
    const record = await findContainer(store, name, 'test')
    write(store, record, { [`file-${i}`]: `${i}` })
    console.log(`wrote ${name} ${i}`)
    let began = 0
    const after = await adopt(store, record, () => {
      began = performance.now()
      if (turn < Number(turns)) return
      Atomics.store(microseconds, 0, 1 + Math.floor(took * 1000 * Number(fraction)))
      Atomics.notify(microseconds, 0)
    })
    took = performance.now() - began
    console.log(`adopted ${name} ${i}`)
    await addImage(store, await manifestOf(store, after), [`${name}:${i}`])
    console.log(`added ${name} ${i}`)
  }
}

function watch(shared: SharedArrayBuffer) {
  const microseconds = new Int32Array(shared)
  Atomics.wait(microseconds, 0, 0)
  const end = performance.now() + Atomics.load(microseconds, 0) / 1000
  while (performance.now() < end);
  process.kill(process.pid, 'SIGKILL')
}

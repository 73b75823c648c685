import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../../namespace/process.js'
import type { Store } from '../../store/store.js'
import { isRunningDetached, readDetached, writeDetached } from './detached.js'

/** Ends what runs in the background in a container and returns when it is tidied up. Nothing when nothing runs. */
export async function stopDetached(store: Store, id: string, seconds: number): Promise<void> {
  const detached = readDetached(store, id)
  if (!detached?.process || !isRunningDetached(detached)) return
  writeDetached(store, id, { ...detached, stopTimeout: seconds })
  process.kill(detached.process.pid, 'SIGTERM')
  // Its own clock ends the command; this one is for a keeper that hangs.
  const end = Date.now() + (seconds + 30) * 1000
  while (isAlive(detached.process)) {
    if (Date.now() > end) process.kill(detached.process.pid, 'SIGKILL')
    await sleep(10)
  }
}

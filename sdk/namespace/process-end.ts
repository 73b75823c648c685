import { closeSync, writeSync } from 'node:fs'
import { newPipe, openProcess, waitReadable } from './libc.js'
import { isAlive, type ProcessIdentity } from './process.js'

/**
 * Calls back when a process ends that need not be a child, at once: the kernel makes a pidfd readable then (pidfd_open(2)). Returns
 * what stops the waiting, which must happen before this process can exit.
 */
export function onProcessEnd(one: ProcessIdentity, ended: () => void): () => void {
  const pidfd = openProcess(one.pid)
  if (pidfd === undefined) return pollFor(one, ended)
  const [wakeable, waker] = newPipe()
  let isWaiting = true
  const wake = () => {
    if (isWaiting) writeSync(waker, 'x')
    isWaiting = false
  }
  // It holds a thread of Node's pool, which is joined at the exit.
  process.once('exit', wake)
  void waitReadable([pidfd, wakeable]).then(() => {
    process.off('exit', wake)
    const isOver = isWaiting
    isWaiting = false
    for (const descriptor of [pidfd, wakeable, waker]) closeSync(descriptor)
    if (isOver) ended()
  })
  // It may have ended before it was opened, and another one have its number.
  setImmediate(() => {
    if (!isWaiting || isAlive(one)) return
    wake()
    ended()
  })
  return wake
}

/** For a kernel before 5.3, or a filter that does not know the call. */
function pollFor(one: ProcessIdentity, ended: () => void): () => void {
  const timer = setInterval(() => {
    if (isAlive(one)) return
    clearInterval(timer)
    ended()
  }, interval)
  return () => clearInterval(timer)
}

/** Milliseconds. */
const interval = 250

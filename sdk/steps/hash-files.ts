import { createHash } from 'node:crypto'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { asBuilderError, BuilderError } from '../errors.js'
import { readable, systemPath } from '../layer/names.js'

/** A file to hash: its path, bytes as latin1, and its size as far as it is known. */
export interface HashedFile {
  readonly path: string
  readonly size: number
}

/**
 * The sha256 of many files, in hexadecimal, in their order. Links are not followed. Much to read is read by several
 * threads. Throws `SYSTEM` for a file that cannot be read, `ABORTED`.
 */
export async function hashFiles(files: readonly HashedFile[], signal?: AbortSignal): Promise<string[]> {
  const bytes = files.reduce((sum, { size }) => sum + size, 0) + files.length * fileCost
  const threads = Math.min(availableParallelism(), 4, files.length)
  return bytes < worthThreads || threads < 2 ? hashHere(files, signal) : hashInThreads(files, threads, signal)
}

/** What opening a file costs, in bytes of hashing. */
const fileCost = 32 * 1024
/** Bytes from which threads, which take some 40 ms to start, are faster. */
const worthThreads = 192 << 20

async function hashHere(files: readonly HashedFile[], signal: AbortSignal | undefined): Promise<string[]> {
  const digests: string[] = []
  let breath = performance.now()
  for (const { path } of files) {
    try {
      digests.push(hashFile(systemPath(path)))
    } catch (error) {
      throw asBuilderError(error, 'read', readable(path))
    }
    if (performance.now() - breath < patience) continue
    await setImmediate()
    signal?.throwIfAborted()
    breath = performance.now()
  }
  return digests
}

/** Milliseconds for which the event loop may be kept waiting. */
const patience = 20

function hashFile(path: string | Buffer): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const hash = createHash('sha256')
    for (let n = readSync(file, buffer); n > 0; n = readSync(file, buffer)) hash.update(buffer.subarray(0, n))
    return hash.digest('hex')
  } finally {
    closeSync(file)
  }
}

const buffer = Buffer.allocUnsafe(1 << 18)

/** Each thread takes the next few files when it is done with those before. */
async function hashInThreads(
  files: readonly HashedFile[],
  threads: number,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const digests = new Array<string>(files.length)
  const state = { next: 0 }
  const workers = Array.from({ length: threads }, () => {
    // As text, for a bundle has no file of its own for a thread.
    const worker = new Worker(program, { eval: true, execArgv: [], env: {}, name: 'hash-files' })
    return { worker, done: serve(worker, files, digests, state, signal) }
  })
  try {
    await Promise.all(workers.map(({ done }) => done))
    return digests
  } finally {
    await Promise.all(workers.map(({ worker }) => worker.terminate()))
  }
}

function serve(
  worker: Worker,
  files: readonly HashedFile[],
  digests: string[],
  state: { next: number },
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const hand = () => {
      if (signal?.aborted) return reject(signal.reason)
      if (state.next >= files.length) return resolve()
      const first = state.next
      let bytes = 0
      while (state.next < files.length && bytes < batch) bytes += (files[state.next++]?.size ?? 0) + fileCost
      worker.postMessage({ first, paths: files.slice(first, state.next).map(({ path }) => path) })
    }
    worker.on('message', ({ first, hashed, failed }: Answer) => {
      if (failed) return reject(asBuilderError(Object.assign(new Error(failed.message), failed), 'read', failed.path))
      for (const [i, digest] of hashed.entries()) digests[first + i] = digest
      hand()
    })
    worker.on('error', (cause) => reject(ended(cause)))
    hand()
  })
}

interface Answer {
  readonly first: number
  readonly hashed: readonly string[]
  readonly failed?: { readonly code: string; readonly message: string; readonly path: string }
}

const batch = 8 << 20

function ended(cause: unknown): BuilderError {
  return new BuilderError('SYSTEM', {
    operation: 'read',
    object: 'files',
    reason: 'the thread that reads ended',
    cause,
  })
}

const program = `
const { parentPort } = require('node:worker_threads')
const { createHash } = require('node:crypto')
const { openSync, readSync, closeSync, constants } = require('node:fs')
const buffer = Buffer.allocUnsafe(1 << 18)
function hashFile(path) {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const hash = createHash('sha256')
    for (let n = readSync(file, buffer); n > 0; n = readSync(file, buffer)) hash.update(buffer.subarray(0, n))
    return hash.digest('hex')
  } finally {
    closeSync(file)
  }
}
parentPort.on('message', ({ first, paths }) => {
  const hashed = []
  for (const path of paths) {
    const bytes = Buffer.from(path, 'latin1')
    try {
      hashed.push(hashFile(bytes))
    } catch (error) {
      const failed = { code: error.code, message: error.message, path: bytes.toString() }
      return parentPort.postMessage({ first, hashed, failed })
    }
  }
  parentPort.postMessage({ first, hashed })
})`

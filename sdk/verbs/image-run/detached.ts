import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity } from '../../namespace/process.js'
import { containerDir } from '../../store/container-files.js'
import type { Store } from '../../store/store.js'
import { replaceFile } from '../../store/temporary.js'
import type { RunImageOptions } from './options.js'

/** A command that goes on in the background, as a file of its container's folder keeps it. */
export interface Detached {
  readonly args: readonly string[]
  readonly options: RunImageOptions
  /** The container goes with the command. */
  readonly goes: boolean
  /** Who sees to it; absent before it has begun. */
  readonly process?: ProcessIdentity
  /** Seconds that it has to end by itself when it is asked to. */
  readonly stopTimeout: number
  /** How it ended. */
  readonly exitCode?: number
}

/** Undefined for a container whose command was not started in the background. */
export function readDetached(store: Store, id: string): Detached | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(store, id), 'utf8')) as Detached
  } catch {
    return undefined
  }
}

/** Writes it anew as one step. */
export function writeDetached(store: Store, id: string, detached: Detached): void {
  replaceFile(store, fileOf(store, id), JSON.stringify(detached))
}

/** True while the command runs, or is being tidied up after. */
export function isRunningDetached(detached: Detached | undefined): boolean {
  return detached?.process !== undefined && isAlive(detached.process)
}

/** Where what it prints is kept. */
export function outputOf(store: Store, id: string): string {
  return join(containerDir(store, id), 'output.log')
}

function fileOf(store: Store, id: string): string {
  return join(containerDir(store, id), 'detached.json')
}

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bootID, isAlive, startTimeOf } from '../namespace/process.js'
import { finishRun, type PreparedRun } from '../runtime/run.js'
import type { Store } from '../store/store.js'

let serial = 0

/** The folder for a run that this process begins; its name tells whose it is. */
export function runFolder(store: Store): string {
  const folder = join(runsOf(store), `${process.pid}-${startTimeOf(process.pid)}-${++serial}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** Keeps what is needed to end a run when this process cannot. */
export function noteRun(folder: string, prepared: PreparedRun): void {
  writeFileSync(join(folder, 'run.json'), JSON.stringify(prepared), { mode: 0o600 })
}

/** Ends the commands of builders that were killed, and removes their folders: nobody else would. */
export async function reapRuns(store: Store): Promise<void> {
  for (const name of entriesOf(runsOf(store))) {
    const [pid = '0', startTime = ''] = name.split('-')
    if (isAlive({ pid: Number(pid), startTime, bootID: bootID() })) continue
    const folder = join(runsOf(store), name)
    const prepared = readRun(folder)
    if (prepared) await finishRun(prepared, { keepMountpoints: true })
    rmSync(folder, { recursive: true, force: true })
  }
}

function runsOf(store: Store): string {
  return join(store.runroot, 'runs')
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readRun(folder: string): PreparedRun | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as PreparedRun
  } catch {
    return undefined
  }
}

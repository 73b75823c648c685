import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bootID, isAlive, type ProcessIdentity, startTimeOf } from '../../namespace/process.js'
import type { PreparedRun } from '../../runtime/run-request.js'
import { scanContainers } from '../../store/container-files.js'
import { removeContainer } from '../../store/containers.js'
import { abandonMount } from '../../store/mounts.js'
import { isGone } from '../../store/owner.js'
import type { Store } from '../../store/store.js'

let serial = 0

/** The folder for a run that this process begins; its name tells whose it is. */
export function runFolder(store: Store): string {
  const folder = join(runsOf(store), `${process.pid}-${startTimeOf(process.pid)}-${++serial}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** Where in that folder secrets are. */
export function memoryOf(folder: string): string {
  return join(folder, 'memory')
}

/** Keeps what is needed to end a run when this process cannot. `runner` is who executes it, where that is not its child. */
export function noteRun(folder: string, prepared: PreparedRun, runner?: ProcessIdentity): void {
  const note: Note = { prepared, ...(runner ? { runner } : {}) }
  writeFileSync(join(folder, 'run.json'), JSON.stringify(note), { mode: 0o600 })
}

interface Note {
  readonly prepared: PreparedRun
  readonly runner?: ProcessIdentity
}

/** Ends the commands of builders that were killed, and removes their folders: nobody else would. */
export async function reapRuns(store: Store): Promise<void> {
  for (const name of entriesOf(runsOf(store))) {
    const [pid = '0', startTime = ''] = name.split('-')
    if (isAlive({ pid: Number(pid), startTime, bootID: bootID() })) continue
    const folder = join(runsOf(store), name)
    const note = readNote(folder)
    const { finishRun } = await import('../../runtime/run.js')
    const { dropMemoryFolder } = await import('../../runtime/memory-folder.js')
    if (note?.runner) await end(note.runner)
    if (note) await finishRun(note.prepared, { keepMountpoints: true })
    dropMemoryFolder(memoryOf(folder))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Removes the working containers of builds that were killed: nobody wants them. */
export async function reapContainers(store: Store): Promise<void> {
  for (const record of scanContainers(store).records) {
    if (!record.owner || !isGone(record.owner)) continue
    await abandonMount(store, record)
    await removeContainer(store, record)
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

/** It may not have come to execute the run yet, which then would begin after its end. */
async function end(runner: ProcessIdentity): Promise<void> {
  while (isAlive(runner)) {
    process.kill(runner.pid, 'SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

function readNote(folder: string): Note | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as Note
  } catch {
    return undefined
  }
}

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Seccomp } from './seccomp.js'

/**
 * The compiled form of a seccomp profile, for crun's annotation `run.oci.seccomp_bpf_data` (crun(1)): compiling a
 * profile takes crun about 20 ms, twice what all the rest of a start takes. The first time crun itself compiles it: a
 * container is created, never started, and the filter it left in its state is kept. Undefined where that does not work;
 * then crun compiles the profile at every start.
 */
export function compiledSeccomp(folder: string, crun: string, profile: Seccomp, compile: Compile): string | undefined {
  const { size, mtimeMs, ino } = statSync(crun)
  const key = createHash('sha256')
    .update(JSON.stringify([crun, size, mtimeMs, ino, process.arch, profile]))
    .digest('hex')
  const file = join(folder, `${key}.bpf`)
  if (!existsSync(file)) keep(file, compile())
  return existsSync(file) ? readFileSync(file).toString('base64') : undefined
}

/** Gives the filter that an OCI runtime made, or nothing. */
export type Compile = () => Buffer | undefined

/** Lets crun create a container with the bundle in `folder`, takes its filter, and deletes the container. */
export function compileByCreating(command: readonly string[], folder: string, id: string): Buffer | undefined {
  const state = join(folder, 'state')
  const call = (...words: string[]) => {
    const [program = '', ...args] = [...command, ...words]
    return spawnSync(program, args, { stdio: 'ignore', timeout: 10_000 })
  }
  call('create', '--bundle', folder, id)
  try {
    return readFileSync(join(state, id, 'seccomp.bpf'))
  } catch {
    return undefined
  } finally {
    call('delete', '--force', id)
    rmSync(join(state, id), { recursive: true, force: true })
  }
}

function keep(file: string, filter: Buffer | undefined): void {
  if (!filter || filter.length === 0) return
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.${process.pid}`, filter, { mode: 0o600 })
  renameSync(`${file}.${process.pid}`, file)
}

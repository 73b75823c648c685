import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { needProgram } from './programs.js'
import type { Seccomp } from './seccomp.js'

/** What a run adds to its configuration so that crun need not compile the filter again, which takes half of a start. */
export interface CompiledSeccomp {
  readonly annotations?: Readonly<Record<string, string>>
  readonly hooks?: { readonly poststart: readonly { readonly path: string; readonly args: readonly string[] }[] }
}

/**
 * Uses the filter that crun compiled before, or has this run keep it. crun reads one from the annotation
 * `run.oci.seccomp_bpf_data` (crun.1), and writes what it compiles into its state directory.
 *
 * @param cache - A directory that only this user can write to.
 * @param state - The container's state directory of crun.
 */
export function compiledSeccomp(seccomp: Seccomp, runtime: string, cache: string, state: string): CompiledSeccomp {
  const file = join(cache, `seccomp-${keyOf(seccomp, runtime)}.bpf`)
  const known = ownBytes(file)
  if (known) return { annotations: { 'run.oci.seccomp_bpf_data': known.toString('base64') } }
  const sh = needProgram('sh', 'dash', 'run')
  const [cp, mv] = ['cp', 'mv'].map((name) => needProgram(name, 'coreutils', 'run')) as [string, string]
  const args = ['sh', '-c', keepScript, 'sh', join(state, 'seccomp.bpf'), file, cp, mv]
  return { hooks: { poststart: [{ path: sh, args }] } }
}

/** Another filter, another runtime or a newer one of the same name: another key. */
function keyOf(seccomp: Seccomp, runtime: string): string {
  const { mtimeNs, size } = statSync(runtime, { bigint: true })
  return createHash('sha256')
    .update(JSON.stringify([seccomp, runtime, `${mtimeNs}`, `${size}`]))
    .digest('hex')
}

/** A filter is a list of 8-byte instructions. One that somebody else could have written is not used. */
function ownBytes(file: string): Buffer | undefined {
  const stat = lstatSync(file, { throwIfNoEntry: false })
  if (!stat?.isFile() || stat.uid !== process.getuid?.() || (stat.mode & 0o022) !== 0) return undefined
  const bytes = readFileSync(file)
  return bytes.length > 0 && bytes.length % 8 === 0 ? bytes : undefined
}

/** The run does not fail when its filter could not be kept. */
const keepScript = 'umask 077; "$3" "$1" "$2.$$" && "$4" -f "$2.$$" "$2"; exit 0'

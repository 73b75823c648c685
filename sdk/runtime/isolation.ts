import { spawnSync } from 'node:child_process'
import { BuilderError } from '../errors.js'
import { nearestWord } from '../image/near-word.js'
import { findProgram } from './programs.js'

/** How a run is held apart: by an OCI runtime, or by builder's own use of unshare and chroot. */
export type Isolation = 'oci' | 'chroot'

/** What {@link chooseIsolation} decided. */
export type ChosenIsolation = { readonly isolation: 'oci'; readonly runtime: string } | { readonly isolation: 'chroot' }

/**
 * Decides how to run: as asked, else by crun or runc when one of them works here, else by chroot.
 *
 * @param runtime - Name or path of an OCI runtime; asks for `oci`.
 *
 * Throws `USAGE` when a runtime is named for chroot, `NOT_FOUND` when the runtime that was named is not there,
 * `UNSUPPORTED` when `oci` was asked for and there is none.
 */
export function chooseIsolation(asked?: Isolation, runtime?: string): ChosenIsolation {
  if (asked === 'chroot' && runtime) throw runtimeForChroot(runtime)
  if (asked === 'chroot') return { isolation: 'chroot' }
  if (runtime) return { isolation: 'oci', runtime: findProgram(runtime) ?? missing(runtime) }
  const found = ['crun', 'runc'].map(findProgram).find((path) => path !== undefined && works(path))
  if (found) return { isolation: 'oci', runtime: found }
  if (asked === undefined) return { isolation: 'chroot' }
  throw new BuilderError('UNSUPPORTED', {
    operation: 'run',
    object: '--isolation oci',
    reason: 'neither crun nor runc works on this machine',
    hint: 'install the package crun, or use --isolation chroot',
  })
}

/**
 * Reads `--isolation` and BUILDAH_ISOLATION in buildah's words: `oci`, `rootless` (the same here, for rootless is what
 * the namespace says) and `chroot`; undefined for '' and `default`. Throws `USAGE` for another word.
 */
export function parseIsolation(text: string): Isolation | undefined {
  if (text === '' || text === 'default') return undefined
  if (text === 'oci' || text === 'rootless') return 'oci'
  if (text === 'chroot') return 'chroot'
  const near = nearestWord(text, ['oci', 'rootless', 'chroot'])
  throw new BuilderError('USAGE', {
    operation: 'read isolation',
    object: JSON.stringify(text),
    reason: 'it is not oci, rootless or chroot',
    hint: near ? `did you mean ${near}?` : 'leave it out: the best that works here is used',
  })
}

/** A program for another processor, or one whose libraries are missing, does not start. Asked once a process. */
function works(path: string): boolean {
  const known = tried.get(path)
  if (known !== undefined) return known
  const works = spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 10_000 }).status === 0
  tried.set(path, works)
  return works
}

const tried = new Map<string, boolean>()

function missing(runtime: string): never {
  throw new BuilderError('NOT_FOUND', {
    operation: 'run',
    object: `--runtime ${runtime}`,
    reason: 'there is no such program',
    hint: 'install it, or give its absolute path',
  })
}

function runtimeForChroot(runtime: string): BuilderError {
  return new BuilderError('USAGE', {
    operation: 'run',
    object: `--runtime ${runtime}`,
    reason: 'isolation chroot uses no runtime',
    hint: 'leave out --runtime or --isolation',
  })
}

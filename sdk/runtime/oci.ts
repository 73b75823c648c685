import { existsSync, mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import { isInUserNamespace } from '../namespace/inside.js'
import { MS, mount } from '../namespace/libc.js'
import type { RunPlan, Start } from './plan.js'
import { needProgram } from './programs.js'
import { propagationOf } from './propagation.js'
import { runtimeConfig } from './runtime-config.js'
import { compiledSeccomp } from './seccomp-cache.js'

/**
 * Writes the bundle for an OCI runtime and says how to start it. The runtime stays in the foreground on the caller's
 * own terminal, and keeps its state in the run's folder. No cgroup is made: the run stays in the caller's.
 *
 * @param runtime - Absolute path of crun, runc or a runtime that takes their arguments.
 */
export function prepareOci(plan: RunPlan, runtime: string): Start {
  const isolation = /runc[^/]*$/.test(runtime) ? 'runc' : 'crun'
  const state = join(plan.folder, 'state')
  mkdirSync(state, { mode: 0o700 })
  const { seccomp, cache, id } = plan
  const mayCache = isolation === 'crun' && seccomp !== undefined && cache !== undefined
  const compiled = mayCache ? compiledSeccomp(seccomp, runtime, cache, join(state, id)) : {}
  const config = JSON.stringify({ ...runtimeConfig(plan), ...compiled })
  writeFileSync(join(plan.folder, 'config.json'), config, { mode: 0o600 })
  const command = [runtime, ...globalArguments(isolation), '--root', state]
  const before = isolation === 'crun' && isHybrid() ? unifiedCgroup(propagationOf(plan.mounts)) : []
  const first = plan.shares.includes('pid') ? ['--pid-file', join(plan.folder, 'process')] : []
  return { argv: [...before, ...command, 'run', ...first, '--bundle', plan.folder, id], isolation, runtime: command }
}

function globalArguments(isolation: 'crun' | 'runc'): string[] {
  if (isolation === 'crun') return ['--cgroup-manager=disabled']
  return isInUserNamespace() ? ['--rootless=true'] : []
}

/** Both cgroup versions at once: systemd's hybrid mode, which crun 1.8 refuses. */
function isHybrid(): boolean {
  return typeOf('/sys/fs/cgroup') !== CGROUP2 && existsSync(unified) && typeOf(unified) === CGROUP2
}

function typeOf(path: string): number | undefined {
  try {
    return statfsSync(path).type
  } catch {
    return undefined
  }
}

/** Shows the runtime the version 2 tree alone: in builder's own mount namespace for good, else in one made for it. */
function unifiedCgroup(propagation: 'private' | 'slave' | 'shared'): string[] {
  if (propagation === 'shared') throw sharedOnHybrid()
  if (process.env.BUILDER_INSIDE && isInUserNamespace()) {
    mount(unified, '/sys/fs/cgroup', null, MS.BIND | MS.REC, null)
    return []
  }
  const [unshare, sh, mountProgram] = ['unshare', 'sh', 'mount'].map((name) => needProgram(name, 'util-linux', 'run'))
  const script = '"$1" --rbind "$2" /sys/fs/cgroup && shift 2 && exec "$@"'
  return [unshare, '-m', '--propagation', propagation, sh, '-c', script, sh, mountProgram, unified] as string[]
}

/** What the runtime is shown would be shown to the whole machine. */
function sharedOnHybrid(): BuilderError {
  return new BuilderError('UNSUPPORTED', {
    operation: 'run',
    object: '--volume …:rshared',
    reason:
      'crun needs a mount of its own on a machine with both versions of control groups, which would be shared too',
    hint: 'write rslave, or use --runtime runc',
  })
}

const unified = '/sys/fs/cgroup/unified'
/** Source: statfs(2), CGROUP2_SUPER_MAGIC. */
const CGROUP2 = 0x63677270

import { readFileSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import type { LabelValues } from './substitute.js'

/** What the variables of a label are made from. */
export interface ValueSources {
  /** Full name of the image; its ID when it has none. */
  readonly image: string
  /** Name for the container. Default: the image's own, without registry and tag. */
  readonly name?: string
  readonly options: readonly (string | undefined)[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
  /** The caller's process. Default: this one. */
  readonly pid?: number
}

/**
 * The variables that a label knows: podman's and atomic's. Nothing else of the caller's environment gets into a command line.
 *
 * Throws `USAGE` for a name that no container can have, and for a NUL byte in a value.
 */
export function labelValues({
  image,
  name = baseName(image),
  options,
  env,
  cwd,
  home,
  pid,
}: ValueSources): LabelValues {
  checkName(name)
  const [OPT1, OPT2, OPT3] = options
  const uid = numberIn(env.SUDO_UID) ?? loginUid(pid) ?? `${process.getuid?.() ?? 0}`
  const gid = numberIn(env.SUDO_GID) ?? groupOf(uid) ?? uid
  for (const [i, text] of options.entries()) if (text?.includes('\0')) throw nul(i)
  return {
    ...{ IMAGE: image, NAME: name, OPT1, OPT2, OPT3, PWD: cwd, HOME: home, SUDO_UID: uid, SUDO_GID: gid },
    // Source: atomic-install(1), the folders that it names for an image.
    ...{ CONFDIR: `/etc/${name}`, DATADIR: `/var/lib/${name}`, LOGDIR: `/var/log/${name}` },
    GLOBAL_OPTS: undefined,
  }
}

/** Who logged in, whatever user a process became since; undefined for what no login started. Source: proc(5), loginuid. */
export function loginUid(pid: number | 'self' = 'self'): string | undefined {
  try {
    return numberIn(readFileSync(`/proc/${pid}/loginuid`, 'utf8').trim())
  } catch {
    return undefined
  }
}

function baseName(image: string): string {
  const [path = ''] = image.split('@')
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/:.*$/, '')
  return /^[0-9a-f]{64}$/.test(name) ? name.slice(0, 12) : name
}

/** Source: podman-run(1), --name. */
function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name) && name.length <= 255) return
  throw new BuilderError('USAGE', {
    operation: 'runlabel --name',
    object: JSON.stringify(name),
    reason: 'a container cannot have this name',
    hint: 'use letters, digits and _ . - after a letter or a digit',
  })
}

/** -1, as the kernel writes it, is nobody. */
function numberIn(text: string | undefined): string | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 4294967295 ? text : undefined
}

/** The first group of a user. Source: passwd(5). */
function groupOf(uid: string): string | undefined {
  try {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
    return numberIn(lines.map((line) => line.split(':')).find(([, , id]) => id === uid)?.[3])
  } catch {
    return undefined
  }
}

function nul(i: number): BuilderError {
  const reason = 'it holds a NUL byte, which no command line can hold'
  return new BuilderError('USAGE', { operation: 'runlabel', object: `--opt${i + 1}`, reason })
}

import { BuilderError, RunError } from '../errors.js'
import type { HostRan } from './host-run.js'

/** What apt, dpkg or mmdebstrap said when a transaction failed, in the reader's words. */
export function scriptFailure(ran: HostRan, operation: string, packages: string): BuilderError {
  const { said } = ran
  const full = /No space left on device/.test(said)
  if (full) {
    const hint = 'free some space (builder prune, builder rmi) and try again'
    return new BuilderError('SYSTEM', {
      operation,
      object: packages,
      reason: 'the disk is full',
      hint,
      cause: new Error(said),
    })
  }
  const owner = /(?:error setting ownership of|unable to set owner(?:ship)? of|Cannot change ownership)[^\n]*/i.exec(
    said,
  )?.[0]
  if (owner !== undefined)
    return new BuilderError('ID_MAP', {
      operation,
      object: packageOf(said) ?? packages,
      reason: `a file's owner is outside the id map: ${owner}`,
      hint: 'add a larger range to /etc/subuid and /etc/subgid',
      cause: new Error(said),
    })
  const script = /(?:installed|new|old) (\S+) package (\S+) script subprocess returned error exit status (\d+)/.exec(
    said,
  )
  const object = script?.[1] ?? packageOf(said) ?? packages
  const status = script?.[3] ?? `${ran.code}`
  const reason = script
    ? `its ${scriptName(script[2])} script failed with exit status ${status}`
    : lastError(said, ran.code)
  const end = endOf(said)
  return new RunError({
    operation,
    object,
    reason: end === '' ? reason : `${reason}:\n${end}\n`,
    hint: 'the container is as it was before; --mode extract executes no scripts',
    argv: ['dpkg', '--configure', object],
    exitCode: Number(status),
    stderr: said.slice(-16 * 1024),
  })
}

/** `dpkg: error processing package NAME (--configure):`, or of an archive. */
function packageOf(said: string): string | undefined {
  return /error processing (?:package|archive) (?:\S*\/)?([a-z0-9][a-z0-9+.-]*)/.exec(said)?.[1]
}

/** As Debian Policy calls it: `post-installation` is `postinst`. */
function scriptName(words: string | undefined): string {
  return words?.replace('post-installation', 'postinst').replace('pre-installation', 'preinst') ?? ''
}

function lastError(said: string, code: number): string {
  const lines = [...said.matchAll(/^(?:E|dpkg: error|mmdebstrap|E\/W): ?(.*)$/gm)].map(([, line]) => line as string)
  return lines.find((line) => line !== '') ?? `it ended with exit code ${code}`
}

/** What stands before dpkg's own complaint: the end of what the script said. */
function endOf(said: string): string {
  const lines = said.trimEnd().split('\n')
  const at = lines.findIndex((line) => /^dpkg: error processing/.test(line))
  return lines
    .slice(0, at < 0 ? lines.length : at)
    .slice(-10)
    .join('\n')
}

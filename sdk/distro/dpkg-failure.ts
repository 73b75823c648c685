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
  const status = Number(script?.[3] ?? ran.code)
  const printed = script ? printedByScript(said) : ''
  const reason = script
    ? `its ${scriptName(script[2])} script failed with exit status ${status}${printed === '' ? '' : `:\n${printed}\n`}`
    : complaintOf(said, ran.code)
  const hint = `the container is as it was before${script ? '; --mode extract executes no scripts' : ''}`
  const argv = ['dpkg', object]
  return new RunError({ operation, object, reason, hint, argv, exitCode: status, stderr: said.slice(-16 * 1024) })
}

/** `dpkg: error processing package NAME (--configure):`, or of an archive of the transaction's own, `NAME_ARCH.deb`. */
function packageOf(said: string): string | undefined {
  return /error processing (?:package|archive) (?:\S*\/)?([a-z0-9][a-z0-9+.-]*)/.exec(said)?.[1]
}

/** As Debian Policy calls it: `post-installation` is `postinst`. */
function scriptName(words = ''): string {
  return words.replace(/^(post|pre)-(inst|rm)?.*$/, (_, when: string, what?: string) => `${when}${what ?? 'rm'}`)
}

/** What stands under dpkg's error, without the folder that the root happens to be in; else apt's or mmdebstrap's own error. */
function complaintOf(said: string, code: number): string {
  const under = /^dpkg: error processing [^\n]*:\n\s+([^\n]+)/m.exec(said)?.[1]
  if (under !== undefined) return under.replace(/'[^']*\/merged\//g, "'/")
  const lines = [...said.matchAll(/^(?:dpkg: error: |E: )(.*)$/gm)].map(([, line]) => line as string)
  return lines.find((line) => line !== '') ?? `it ended with exit code ${code}`
}

/** The end of what the script printed: what stands between dpkg's own word of the step and its complaint. */
function printedByScript(said: string): string {
  const lines = said.split('\n')
  const end = lines.findIndex((line) => /^dpkg: (error processing|warning: old)/.test(line))
  const before = lines.slice(0, Math.max(end, 0))
  const step = before.findLastIndex((line) =>
    /^(Setting up|Removing|Purging|Unpacking|Preparing to|Processing) /.test(line),
  )
  return before
    .slice(step + 1)
    .slice(-10)
    .join('\n')
}

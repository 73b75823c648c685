/** A runtime's own failure in the reader's words. */
export interface RunExplanation {
  /** As shells have it: 127 not found, 126 not executable, 125 the runtime's own failure. */
  readonly exitCode: number
  readonly reason: string
  readonly hint: string
}

/**
 * Says what a runtime (crun, runc, unshare, setpriv, mount) meant when it could not start a command: they report with
 * exit code 1 and their own words. Undefined when the text is not one of theirs: then the command itself failed.
 *
 * @param stderr - The end of standard error.
 * @param exitCode - Of `PreparedRun.argv`.
 */
export function explainRunFailure(stderr: string, exitCode: number): RunExplanation | undefined {
  const isRuntimes = exitCode === 1 || (exitCode >= 125 && exitCode <= 127)
  if (!isRuntimes) return undefined
  const last = stderr.trimEnd().split('\n').at(-1) ?? ''
  const known = messages.find(({ pattern }) => pattern.test(last))
  if (!known) return undefined
  const { exitCode: code, reason, hint } = known
  return { exitCode: code, reason, hint }
}

const messages: readonly (RunExplanation & { readonly pattern: RegExp })[] = [
  {
    pattern: /(unshare: failed to execute .*|open executable|exec[^:]*:.*|runc run failed.*)(exec format error)/i,
    exitCode: 126,
    reason: 'the program is for another kind of processor, or is not a program',
    hint: 'check the platform of the image with builder inspect',
  },
  {
    pattern: /executable file (.* )?not found|(unshare: failed to execute|exec: ".*?":|runc run failed).*no such file/i,
    exitCode: 127,
    reason: 'the command is not in the container, or the interpreter or loader that it names is not',
    hint: 'install it in the container, or check its first line',
  },
  {
    pattern: /open executable: |(unshare: failed to execute|exec: ".*?":) .*(permission denied|is a directory)/i,
    exitCode: 126,
    reason: 'the command is not an executable file, or its user may not execute it',
    hint: 'check its permissions and those of the directories above it',
  },
  {
    pattern: /chdir/i,
    exitCode: 125,
    reason: 'the working directory cannot be entered',
    hint: 'check --workingdir, and that the user may enter it',
  },
  {
    pattern: /(mount|mounting) .*proc.*(operation not permitted|permission denied)/i,
    exitCode: 125,
    reason: 'the kernel permits no new /proc here, as inside a container that hides parts of its own',
    hint: 'start the outer container with --security-opt unmask=/proc or --privileged',
  },
  {
    pattern: /cgroup/i,
    exitCode: 125,
    reason: 'the runtime cannot work with the control groups of this machine',
    hint: 'use --isolation chroot, or a newer crun',
  },
  {
    pattern: /^(unshare|setpriv|mount|nsenter): /,
    exitCode: 125,
    reason: 'the container could not be set up',
    hint: 'see the message above it; --isolation oci with crun needs fewer rights',
  },
]

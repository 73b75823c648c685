import { userInfo } from 'node:os'
import { isInUserNamespace } from '../../namespace/inside.js'
import { hostDevices } from '../../runtime/host-devices.js'
import type { RunImageOptions } from './options.js'

/** What a plain user lacks of the privileges that were asked for, in one message; undefined as real root, and when none were. */
export function missingPrivileges({ privileged, spc, volume = [] }: RunImageOptions): string | undefined {
  if (!privileged || !isInUserNamespace()) return undefined
  const { usable, closed } = hostDevices()
  const user = userName()
  const lacks = [
    ...(volume.some((text) => text.startsWith('/:'))
      ? [`files under /host are read and written as ${user}, what others own stays closed`]
      : []),
    `capabilities hold for ${user}'s own processes, files and namespaces, not for the machine's (no mounts on the host, no kernel modules, no clock, no other users' processes)`,
    `of ${usable.length + closed} devices ${closed} stay closed`,
  ]
  return `run-image ${spc ? '--spc' : '--privileged'}: ${user} is a plain user and gives what a plain user has: ${lacks.join('; ')}; run it as root for all of it`
}

function userName(): string {
  const { SUDO_USER: _, USER } = process.env
  return USER || userInfo().username
}

import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { isInUserNamespace } from '../namespace/inside.js'
import { hostDevices } from '../runtime/host-devices.js'
import type { RunImageOptions } from './run-image-options.js'

/**
 * The options of a super-privileged run: those of `atomic run --spc`, where nothing else is said. A list has what was given too.
 * Source: atomic(1), "atomic run".
 */
export function superPrivileged(image: string, options: RunImageOptions): RunImageOptions {
  if (!options.spc) return options
  const name = options.name ?? nameFor(image)
  const clock = existsSync('/etc/localtime') ? ['/etc/localtime:/etc/localtime'] : []
  return {
    interactive: true,
    privileged: true,
    network: 'host',
    ipc: 'host',
    pid: 'host',
    ...options,
    name,
    volume: ['/:/host', '/run:/run', ...clock, ...(options.volume ?? [])],
    env: ['HOST=/host', `NAME=${name}`, `IMAGE=${image}`, ...(options.env ?? [])],
  }
}

/** `quay.io/site/tools:1` is `tools`. */
export function nameFor(image: string): string {
  const last = image
    .replace(/@.*$/, '')
    .replace(/^.*[/]/, '')
    .replace(/:.*$/, '')
  const name = last.replace(/[^A-Za-z0-9_.-]/g, '-').replace(/^[^A-Za-z0-9]+/, '')
  return name.slice(0, 128) || 'container'
}

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

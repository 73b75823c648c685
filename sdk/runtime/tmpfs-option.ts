import { BuilderError } from '../errors.js'
import { octal, parseBytes } from './mount-fields.js'
import type { MountFlag, TmpfsMount } from './mount-request.js'
import { insidePath, setFlag, unknownOption, wrong } from './volume.js'

/**
 * Reads a `--tmpfs`: `PATH[:OPTION,…]`. Options: `size=64m`, `mode=1777`, `ro`, `rw`, and `suid`, `dev`, `exec`, which are off
 * otherwise, as podman has it.
 *
 * Throws `USAGE` for another form or an unknown option, `UNSUPPORTED` for `tmpcopyup`: the folder begins empty.
 *
 * @example
 * ```ts
 * import { parseTmpfs } from './tmpfs-option.js'
 * parseTmpfs('/run:size=64m') // { type: 'tmpfs', destination: '/run', size: 67108864, … }
 * ```
 */
export function parseTmpfs(text: string): TmpfsMount {
  const [path = '', ...rest] = text.split(':')
  if (rest.length > 1) throw wrong(text, 'it is not PATH[:OPTION,…]')
  const flags = new Set<MountFlag>(['nosuid', 'nodev', 'noexec'])
  const found: { size?: number; mode?: number; readonly?: boolean } = {}
  for (const option of (rest[0] ?? '').split(',').filter(Boolean)) {
    const [key = '', value = ''] = option.split('=')
    if (key === 'size') found.size = bytesOf(value, text)
    else if (key === 'mode') found.mode = octal(value, text)
    else if (key === 'ro') found.readonly = true
    else if (key === 'tmpcopyup') throw copied(text)
    else if (!setFlag(flags, option) && !nothing.has(option)) throw unknownOption(text, option, known)
  }
  return { type: 'tmpfs', destination: insidePath(text, path), ...found, flags: [...flags] }
}

const nothing = new Set(['rw', 'notmpcopyup', 'private', 'rprivate'])
const known = ['size', 'mode', 'ro', 'rw', 'suid', 'nosuid', 'dev', 'nodev', 'exec', 'noexec', 'notmpcopyup']

function bytesOf(value: string, text: string): number {
  const bytes = parseBytes(value)
  if (bytes === undefined) throw wrong(text, `size=${value} is not a size`, 'write for example size=64m')
  return bytes
}

function copied(text: string): BuilderError {
  return new BuilderError('UNSUPPORTED', {
    operation: 'read mount',
    object: JSON.stringify(text),
    reason: 'what the image has there is not copied into a tmpfs',
    hint: 'leave tmpcopyup out, or use a volume',
  })
}

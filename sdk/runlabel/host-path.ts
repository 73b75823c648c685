import { lstatSync, realpathSync } from 'node:fs'
import { posix } from 'node:path'
import type { Ask } from './ask.js'

/** What a folder or file of the machine in a container means. Links are followed: what counts is where they lead now. */
export function askForPath(source: string, access: 'read' | 'write'): Ask {
  const named = posix.normalize(source).replace(/(?<=.)\/$/, '')
  const path = realPath(named)
  const shown = path === named ? path : `${path} (named ${named})`
  const verb = access === 'read' ? 'read' : 'read and write'
  if (path === '/') return { kind: 'host-root', object: access, text: `all files of this machine: ${verb} ${shown}` }
  if (isSocket(path)) return { kind: 'socket', object: path, text: socketText(path, shown) }
  const what = meanings.find(([folder]) => path === folder || path.startsWith(`${folder}/`))?.[1]
  const kind = access === 'read' ? 'host-path-read' : 'host-path-write'
  return { kind, object: path, text: `${verb} ${shown}${what ? `, ${what}` : ''}` }
}

/** As far as it exists: what is not there yet can be no link. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const folder = posix.dirname(path)
    return folder === path ? path : posix.join(realPath(folder), posix.basename(path))
  }
}

function isSocket(path: string): boolean {
  if (/\.(sock|socket)$/.test(path)) return true
  try {
    return lstatSync(path).isSocket()
  } catch {
    return false
  }
}

function socketText(path: string, shown: string): string {
  const engine = /\b(docker|podman|containerd|crio|buildkit|builder)\b/.exec(path)?.[1]
  if (!engine) return `speak to the program behind the socket ${shown}`
  return `command ${engine} through its socket ${shown}, which can do all that ${engine} may do on this machine`
}

const meanings: readonly (readonly [folder: string, meaning: string])[] = [
  ['/etc', 'where this machine is configured'],
  ['/proc', 'where the kernel shows and takes settings and processes'],
  ['/sys', 'where the kernel shows and takes settings of devices'],
  ['/dev', 'the devices of this machine'],
  ['/boot', 'what this machine starts from'],
  ['/usr', 'the programs of this machine'],
  ['/bin', 'the programs of this machine'],
  ['/sbin', 'the programs of this machine'],
  ['/lib', 'the libraries of this machine'],
  ['/run', 'the sockets and states of running programs'],
  ['/var/lib', 'the data of the programs of this machine'],
  ['/var/run', 'the sockets and states of running programs'],
  ['/root', "root's own files"],
  ['/home', "users' own files"],
]

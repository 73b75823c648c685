import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'

/** Absolute path of a host program: looked for on PATH and in the system folders; undefined when it is not there. */
export function findProgram(name: string): string | undefined {
  if (name.includes('/')) return isProgram(name) ? name : undefined
  const folders = [...(process.env.PATH ?? '').split(':').filter((dir) => dir.startsWith('/')), ...systemFolders]
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

/** As {@link findProgram}. Throws `UNSUPPORTED` naming the package when it is not there. */
export function needProgram(name: string, packageName: string, operation: string): string {
  const found = findProgram(name)
  if (found) return found
  throw new BuilderError('UNSUPPORTED', {
    operation,
    object: name,
    reason: 'this program is not on this machine',
    hint: `install the package ${packageName}`,
  })
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** What a host program that prepares a run gets: nothing that an image or a user's shell could bend it with. */
export function hostEnvironment(): Record<string, string> {
  return { PATH: [...new Set([...(process.env.PATH ?? '').split(':').filter(Boolean), ...systemFolders])].join(':') }
}

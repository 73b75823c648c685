import { readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity } from './process.js'

export type Holder = ProcessIdentity

export function findHolder(runroot: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(join(runroot, 'holder'), 'utf8')) as Holder
    return isAlive(holder) ? holder : undefined
  } catch {
    return undefined
  }
}

export function isHolderNamespace({ pid }: Holder): boolean {
  try {
    return statSync(`/proc/${pid}/ns/mnt`).ino === statSync('/proc/self/ns/mnt').ino
  } catch {
    return false
  }
}

export function holderPath({ pid }: Holder, path: string): string {
  return `/proc/${pid}/root${path}`
}

export async function endHolder(runroot: string): Promise<void> {
  const holder = findHolder(runroot)
  rmSync(join(runroot, 'holder'), { force: true })
  if (holder) process.kill(holder.pid)
}

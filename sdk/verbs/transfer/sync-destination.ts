import { mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { asBuilderError } from '../../errors.js'
import { remoteName } from './pull-names.js'

/** How names at the destination are made. */
export interface Naming {
  readonly scoped?: boolean
  readonly appendSuffix?: string
}

/** Where an image of a sync goes: its whole name, or the last part of it, below the destination. Throws `USAGE`. */
export function destinationFor(
  dest: 'docker' | 'dir',
  destination: string,
  suffix: string,
  { scoped = false, appendSuffix = '' }: Naming,
): string {
  const below = `${scoped ? suffix : basename(suffix)}${appendSuffix}`
  if (dest === 'dir') return `dir:${join(destination, below)}`
  return `docker://${remoteName(`${destination.replace(/^docker:\/\//, '').replace(/\/+$/, '')}/${below}`)}`
}

/** Makes the folders above an image that is going to be written. Throws `SYSTEM`. */
export async function prepareDestination(place: string): Promise<void> {
  if (!place.startsWith('dir:')) return
  const folder = dirname(place.slice('dir:'.length))
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw asBuilderError(error, 'sync to', folder)
  })
}

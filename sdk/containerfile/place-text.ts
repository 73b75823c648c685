import { join } from 'node:path'
import { isGitAddress } from '../transport/git-address.js'

/** What the history says of a COPY or an ADD: the names, as BuildKit's does; the layer's digest tells the content. */
export function placeText(word: 'COPY' | 'ADD', sources: readonly string[], destination: string): string {
  return `/bin/sh -c #(nop) ${word} ${sources.join(' ')} in ${join('/', destination)}`
}

/** The value of `from` in a `--mount`. */
export function fromOf(mount: string): string | undefined {
  const field = mount.split(',').find((part) => /^\s*from\s*=/i.test(part))
  return field?.slice(field.indexOf('=') + 1).trim()
}

/** True when a bind mount takes files of the context. */
export function needsContext(mounts: readonly string[]): boolean {
  return mounts.some((mount) => fromOf(mount) === undefined && isBind(mount))
}

/** True for a bind mount, which is what a mount without a type is. */
export function isBind(mount: string): boolean {
  const type = mount.split(',').find((part) => /^\s*type\s*=/i.test(part))
  return type === undefined || /=\s*bind\s*$/i.test(type)
}

/** What ADD fetches itself; `github.com/…` is a context alone. */
export function isRemote(source: string): boolean {
  return /^https?:\/\//.test(source) || (isGitAddress(source) && !source.startsWith('github.com/'))
}

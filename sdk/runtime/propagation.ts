import { BuilderError } from '../errors.js'
import { isInUserNamespace } from '../namespace/inside.js'
import type { MountRequest } from './mount-request.js'
import type { Network } from './network.js'

/** How the mount namespace of a run must hang together with the host's for its mounts: the strongest that one of them asks for. */
export function propagationOf(mounts: readonly MountRequest[]): 'private' | 'slave' | 'shared' {
  const asked = mounts.map((mount) => (mount.type === 'bind' ? mount.propagation : undefined))
  if (asked.some((one) => one === 'shared' || one === 'rshared')) return 'shared'
  return asked.some((one) => one === 'slave' || one === 'rslave') ? 'slave' : 'private'
}

/** Throws `UNSUPPORTED` for mounts that shall reach the host from where they cannot. */
export function checkPropagation(request: {
  readonly mounts: readonly MountRequest[]
  readonly network: Network
}): void {
  if (propagationOf(request.mounts) !== 'shared') return
  const isUser = isInUserNamespace()
  if (!isUser && request.network !== 'private') return
  throw new BuilderError('UNSUPPORTED', {
    operation: 'run',
    object: '--volume …:rshared',
    reason: isUser
      ? 'what a plain user mounts cannot reach the host'
      : 'the helper of a private network needs mounts of its own, which would be shared too',
    hint: isUser ? 'write rslave, or work as root' : 'write rslave, or use --network host',
  })
}

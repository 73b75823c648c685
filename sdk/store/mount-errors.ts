import { BuilderError } from '../errors.js'
import { findHolder } from '../namespace/holder.js'
import type { ContainerRecord } from './containers.js'

/** Something stands in the mount. */
export function busy(record: Pick<ContainerRecord, 'name'>): (cause: unknown) => never {
  return (cause) => {
    const hint = 'leave the folder (cd /) and close what has files open in it'
    throw new BuilderError('IN_USE', {
      operation: 'unmount container',
      object: record.name,
      reason: 'something still uses it',
      hint,
      cause,
    })
  }
}

/** It is mounted in another namespace, to stay. */
export function mountedElsewhere(record: ContainerRecord): BuilderError {
  const { name, mounted } = record
  const byHolder = findHolder()?.pid === mounted?.keeper?.pid
  const [reason, hint] = byHolder
    ? ['it is mounted by builder mount, outside of this session', `builder umount ${name} there, or work on it there`]
    : [`it is mounted in the session of process ${mounted?.keeper?.pid}`, 'work on it there, or end that session']
  return new BuilderError('IN_USE', { operation: 'mount container', object: name, reason, hint })
}

/** Its command has no end that could be waited for. */
export function runsInBackground({ name }: ContainerRecord): BuilderError {
  const hint = `wait for it to end, or stop it: builder stop ${name}`
  const reason = 'a command runs in it in the background'
  return new BuilderError('IN_USE', { operation: 'mount container', object: name, reason, hint })
}

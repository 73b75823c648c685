import { posix } from 'node:path'
import { type Mountpoint, removeMountpoints } from '../../runtime/mountpoints.js'
import { updateContainer } from '../../store/containers.js'
import type { Store } from '../../store/store.js'

/** Keeps in the container's record which mount points a run is about to make, in case nobody lives to remove them. */
export async function noteMountpoints(store: Store, id: string, missing: readonly Mountpoint[]): Promise<void> {
  if (missing.length === 0) return
  await updateContainer(store, id, (record) => ({ ...record, mountpoints: [...record.mountpoints, ...missing] }))
}

/** Completes the record for whoever ends the last run in the container, when this one was not the last. */
export async function leaveMountpoints(store: Store, id: string, made: readonly Mountpoint[]): Promise<void> {
  await updateContainer(store, id, (record) => ({ ...record, mountpoints: known(record.mountpoints, made) }))
}

/**
 * Removes the mount points that runs left in a root. The folders they were in stay noted, for the next commit to leave
 * out what is as it was. `made` knows more of some than the record does: the times just after they were made.
 */
export async function forgetMountpoints(
  store: Store,
  id: string,
  root: string,
  made: readonly Mountpoint[] = [],
): Promise<void> {
  await updateContainer(store, id, (record) => {
    if (record.mountpoints.length === 0) return record
    removeMountpoints(root, known(record.mountpoints, made))
    const touched = new Set([...(record.touched ?? []), ...record.mountpoints.map(({ path }) => posix.dirname(path))])
    return { ...record, mountpoints: [], touched: [...touched] }
  })
}

function known(noted: readonly Mountpoint[], made: readonly Mountpoint[]): readonly Mountpoint[] {
  const byPath = new Map(made.map((one) => [one.path, one]))
  return noted.map((one) => byPath.get(one.path) ?? one)
}

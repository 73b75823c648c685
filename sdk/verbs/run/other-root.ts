import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BuilderError } from '../../errors.js'
import { mountOverlay, unmountOverlay } from '../../namespace/overlay.js'
import { findContainer } from '../../store/containers.js'
import { findImage } from '../../store/images.js'
import { lowersOf, type MountedRoot, useRoot } from '../../store/mounts.js'
import type { Store } from '../../store/store.js'
import { temporaryFolder } from '../../store/temporary.js'

/**
 * The root of another container, or of an image, to read from. Throws `NOT_FOUND` when the name is neither.
 */
export async function otherRoot(
  store: Store,
  name: string,
  operation: string,
  signal?: AbortSignal,
): Promise<MountedRoot> {
  const record = await findContainer(store, name, operation).catch(orAbsent)
  if (record) return useRoot(store, record.id, signal)
  const image = await findImage(store, name, operation)
  const dir = temporaryFolder(store)
  for (const part of ['upper/diff', 'work', 'merged']) await mkdir(join(dir, part), { recursive: true })
  await mountOverlay({ dir, lowers: lowersOf(store, image.config.rootfs.diff_ids), driver: store.driver })
  const end = async () => {
    await unmountOverlay(dir)
    await rm(dir, { recursive: true, force: true })
  }
  return { path: join(dir, 'merged'), [Symbol.asyncDispose]: end }
}

/** The root that `--from` names, mounted when it is first needed. */
export interface LazyRoot extends AsyncDisposable {
  /** Undefined when there is no `--from`. Throws as {@link otherRoot}. */
  path(): Promise<string | undefined>
}

/** Mounts nothing yet. */
export function lazyRoot(
  store: Store,
  operation: string,
  { from, signal }: { readonly from?: string; readonly signal?: AbortSignal },
): LazyRoot {
  let root: Promise<MountedRoot> | undefined
  return {
    async path() {
      if (from === undefined) return undefined
      root ??= otherRoot(store, from, operation, signal)
      return (await root).path
    },
    async [Symbol.asyncDispose]() {
      await (await root?.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}

function orAbsent(error: unknown): undefined {
  if (error instanceof BuilderError && error.code === 'NOT_FOUND') return undefined
  throw error
}

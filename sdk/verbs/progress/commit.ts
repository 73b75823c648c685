import { type ProgressOptions, showProgress } from './progress.js'

/** Shows how much of a container's layer is packed, when that takes longer than a second. */
export async function showPacking<T>(
  options: ProgressOptions,
  container: string,
  work: (onBytes: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  await using progress = showProgress(options, 'commit', { after: 1000 })
  let packed = 0
  const tell = (state: 'packing' | 'done') => progress.note({ name: container, kind: 'layer', bytes: packed, state })
  const result = await work((bytes) => {
    packed = bytes
    tell('packing')
  })
  if (packed > 0) tell('done')
  return result
}

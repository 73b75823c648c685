import type { Store } from '../store/store.js'
import { archiveName } from './docker-archive.js'
import { dockerArchive } from './docker-archive-writer.js'
import type { Location } from './location.js'
import type { ImageSink } from './sink.js'

/** Writes `docker-archive:file[:name:tag]` with one image. A file that exists is `EXISTS`. */
export async function dockerArchiveSink(store: Store, { path, ref }: Location, name: string): Promise<ImageSink> {
  const names = ref === undefined ? [] : [archiveName(ref, name)]
  const archive = await dockerArchive(store, path, name)
  const sink = archive.image(names)
  return {
    ...sink,
    async finish() {
      await sink.finish()
      await archive.finish()
    },
    [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
  }
}

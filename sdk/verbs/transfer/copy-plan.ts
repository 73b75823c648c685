import { isIndexType, isManifestType } from '../../image/descriptor.js'
import type { Digest } from '../../image/digest.js'
import { isIndex } from '../../image/manifest.js'
import { formatPlatform, hostPlatform, type Platform } from '../../image/platform.js'
import { chooseImage, depthLimit, type Found, readChild, readTop, tooDeep } from '../../transport/choose.js'
import type { ImageSource } from '../../transport/source.js'

/** One manifest of a copy: an image's, or that of a list. */
export interface PlannedManifest {
  readonly mediaType: string
  readonly digest: string
  /** As os/arch[/variant]; absent where only the image's configuration tells. */
  readonly platform?: string
}

/** One configuration or layer of a copy. */
export interface PlannedBlob {
  readonly mediaType: string
  readonly digest: string
  /** Bytes. */
  readonly size: number
}

/** What a copy would bring, before anything is changed on its way. */
export interface CopyOutline {
  /** Digest of the manifest or the list at the top. */
  readonly digest: string
  readonly manifests: readonly PlannedManifest[]
  readonly blobs: readonly PlannedBlob[]
  /** Bytes of all blobs. */
  readonly bytes: number
}

/** Reads the manifests of a source, nothing else. Throws `NOT_FOUND`, `INVALID`, `DIGEST`. */
export async function outlineOf(
  source: ImageSource,
  { all = false, platform }: { readonly all?: boolean; readonly platform?: Platform },
): Promise<CopyOutline> {
  const top = await readTop(source)
  const found = all ? await below(source, top) : [await chooseImage(source, top, platform ?? hostPlatform())]
  const blobs = new Map<Digest, PlannedBlob>()
  for (const { value } of found)
    for (const { mediaType, digest, size } of isIndex(value) ? [] : [value.config, ...value.layers])
      blobs.set(digest, { mediaType, digest, size })
  return {
    digest: (found[0] as Found).descriptor.digest,
    manifests: found.map(({ descriptor: { mediaType, digest, platform: its } }) => ({
      mediaType,
      digest,
      ...(its ? { platform: formatPlatform(its) } : {}),
    })),
    blobs: [...blobs.values()],
    bytes: [...blobs.values()].reduce((sum, { size }) => sum + size, 0),
  }
}

/** A manifest and everything that it names, the top first. */
async function below(source: ImageSource, top: Found, depth = 0): Promise<readonly Found[]> {
  if (depth > depthLimit) throw tooDeep(source.name)
  const found = [top]
  for (const child of isIndex(top.value) ? top.value.manifests : [])
    if (isManifestType(child.mediaType) || isIndexType(child.mediaType))
      found.push(...(await below(source, await readChild(source, child), depth + 1)))
  return found
}

import { hexOf } from '../image/digest.js'
import { formatSize } from '../image/table.js'
import { findImage, type Image } from '../store/images.js'
import { type SizedLayer, sizedLayers } from '../store/layer-sizes.js'
import { allImages } from '../store/read-list.js'
import { openStore, type Store } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link tree}. */
export interface TreeOptions extends GlobalOptions {
  /** Show the layers and images that are built on this one. */
  whatrequires?: boolean
  /** Print JSON. */
  json?: boolean
}

/** A layer, and the images that end with it. */
export interface TreeLayer {
  /** Digest of the layer's uncompressed tar. */
  readonly diffID: `sha256:${string}`
  /** Bytes of the tar. */
  readonly size: number
  /** Names of the images whose last layer this is; the ID of one without a name. */
  readonly topLayerOf: readonly string[]
}

/** A layer with what is built on it. */
export interface TreeBranch extends TreeLayer {
  readonly requiredBy: readonly TreeBranch[]
}

/** The layers of an image. */
export interface TreeResult {
  /** 64 hexadecimal digits. */
  readonly id: string
  readonly names: readonly string[]
  /** Bytes of all layers' tars. */
  readonly size: number
  /** Bottom first. */
  readonly layers: readonly TreeLayer[]
  /** With `whatrequires`: the layers that other images have above the last one. */
  readonly requiredBy?: readonly TreeBranch[]
}

/**
 * Shows the layers of an image, and which images end with each.
 *
 * The lowest layer stands first. With --whatrequires the layers of other images grow out of the last one.
 *
 * Throws `NOT_FOUND` for an unknown image.
 *
 * @verb
 * @where outside
 * @stdout A tree of layers; JSON with --json.
 * @param image - Name or ID of an image.
 * @example
 * ```sh
 * builder tree --whatrequires base
 * ```
 * @example
 * ```ts
 * import { tree } from 'builder-sdk'
 * const { layers } = await tree('web')
 * console.log(layers.map(({ size, topLayerOf }) => `${size} ${topLayerOf}`))
 * ```
 */
export async function tree(image: string, options: TreeOptions = {}): Promise<TreeResult> {
  const store = await openStore(options)
  const found = await findImage(store, image, 'tree')
  const all = await allImages(store)
  const own = await sizedLayers(store, found)
  const layers = own.map((layer, i) => treeLayer(layer, chainOf(found).slice(0, i + 1), all))
  const { id, names } = found
  const size = own.reduce((sum, layer) => sum + layer.size, 0)
  const requiredBy = options.whatrequires ? await branches(store, chainOf(found), all) : undefined
  return { id, names, size, layers, ...(requiredBy ? { requiredBy } : {}) }
}

/** What the shell door prints. */
export function present(result: TreeResult, options: TreeOptions): string {
  if (options.json) return JSON.stringify(result, null, 4)
  const { id, names, size, layers, requiredBy = [] } = result
  const head = [`Image ID: ${id.slice(0, 12)}`, `Tags:     [${names.join(' ')}]`, `Size:     ${formatSize(size)}`]
  if (layers.length === 0) return [...head, 'No Image Layers'].join('\n')
  const nodes = layers.map((layer, i) => ({ ...layer, requiredBy: i === layers.length - 1 ? requiredBy : [] }))
  return [...head, 'Image Layers', ...drawn(nodes, '')].join('\n')
}

function treeLayer({ diffID, size }: SizedLayer, chain: readonly string[], all: readonly Image[]): TreeLayer {
  const ending = all.filter((image) => chainOf(image).length === chain.length && isOn(image, chain))
  const names = ending.flatMap((image) => (image.names.length > 0 ? image.names : [image.id.slice(0, 12)]))
  return { diffID, size, topLayerOf: [...new Set(names)].sort() }
}

/** An image without layers carries nothing. */
async function branches(store: Store, chain: readonly string[], all: readonly Image[]): Promise<readonly TreeBranch[]> {
  const above =
    chain.length === 0 ? [] : all.filter((image) => chainOf(image).length > chain.length && isOn(image, chain))
  const found = new Map<string, TreeBranch>()
  for (const image of above) {
    const layer = (await sizedLayers(store, image))[chain.length]
    if (!layer || found.has(layer.diffID)) continue
    const longer = [...chain, layer.diffID]
    found.set(layer.diffID, { ...treeLayer(layer, longer, all), requiredBy: await branches(store, longer, above) })
  }
  return [...found.values()]
}

function isOn(image: Image, chain: readonly string[]): boolean {
  return chain.every((diffID, i) => chainOf(image)[i] === diffID)
}

function chainOf({ config }: Image): readonly string[] {
  return config.rootfs.diff_ids
}

function drawn(nodes: readonly TreeBranch[], indent: string): string[] {
  return nodes.flatMap((node, i) => {
    const isLast = i === nodes.length - 1
    const { diffID, size, topLayerOf, requiredBy } = node
    const tops = topLayerOf.length > 0 ? ` Top Layer of: [${topLayerOf.join(' ')}]` : ''
    const line = `ID: ${hexOf(diffID).slice(0, 12)} Size: ${formatSize(size)}${tops}`
    return [`${indent}${isLast ? '└── ' : '├── '}${line}`, ...drawn(requiredBy, `${indent}${isLast ? '    ' : '│   '}`)]
  })
}

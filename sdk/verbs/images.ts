import { BuilderError } from '../errors.js'
import { renderRows } from '../image/go-template.js'
import { formatAge, formatSize, formatTable, inOrder } from '../image/table.js'
import { findImageOrList, type Image, imageSize, listImages, listLists } from '../store/images.js'
import { listMembers } from '../store/read-list.js'
import { openStore, type Store } from '../store/store.js'
import { type Filter, parseFilters } from './filter.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link images}. */
export interface ImagesOptions extends GlobalOptions {
  /**
   * Accepted for buildah's scripts: images without a name are always listed.
   * @short a
   */
  all?: boolean
  /** Show the digests of the manifests. */
  digests?: boolean
  /**
   * Only images that fit: dangling=true|false, label=NAME[=VALUE], reference=PATTERN, since=IMAGE, before=IMAGE or id=.
   * @short f
   * @placeholder KEY=VALUE
   */
  filter?: readonly string[]
  /**
   * Print each image by a Go template, with .Name, .Tag, .ID, .Digest, .Created, .CreatedAt and .Size.
   * @placeholder TEMPLATE
   */
  format?: string
  /** Print JSON. */
  json?: boolean
  /** Print IDs in full. */
  noTrunc?: boolean
  /**
   * Leave the column headings out.
   * @short n
   */
  noheading?: boolean
  /**
   * Print the IDs only.
   * @short q
   */
  quiet?: boolean
}

/** An image in a list. */
export interface ImageSummary {
  /** 64 hexadecimal digits. */
  readonly id: string
  readonly names: readonly string[]
  /** Digest of the manifest, or of the list. */
  readonly digest: string
  /** True for a list of images. */
  readonly isList?: true
  /** RFC 3339; undefined when the image does not tell. That of a list is its newest image's. */
  readonly created?: string
  /** Bytes of the layers as the manifest names them; of all layers of a list's images. */
  readonly size: number
  readonly labels: Readonly<Record<string, string>>
}

/**
 * Lists the images and the lists of images in the store, newest first.
 *
 * Throws `NOT_FOUND` when an image is named and is not there.
 *
 * @verb
 * @where outside
 * @offline
 * @stdout A table; IDs with --quiet; JSON with --json.
 * @param image - Only this image.
 * @example
 * ```sh
 * builder images --format '{{.Name}}:{{.Tag}} {{.Size}}'
 * ```
 * @example
 * ```ts
 * import { images } from 'builder-sdk'
 * const unnamed = (await images()).filter((image) => image.names.length === 0)
 * ```
 */
export async function images(image?: string, options: ImagesOptions = {}): Promise<readonly ImageSummary[]> {
  const store = await openStore(options)
  const all = [...(await listImages(store)).map(summary), ...(await listSummaries(store))]
  all.sort((a, b) => inOrder(b.created ?? '', a.created ?? '') || inOrder(a.id, b.id))
  const filters = parseFilters('images', options.filter ?? [], filterBy(all))
  const only = image === undefined ? undefined : (await findImageOrList(store, image, 'images')).id
  return all.filter((one) => (only === undefined || one.id === only) && filters.every((fits) => fits(one)))
}

/** What the shell door prints. */
export function present(result: readonly ImageSummary[], options: ImagesOptions): string {
  const short = (id: string) => (options.noTrunc ? `sha256:${id}` : id.slice(0, 12))
  if (options.quiet) return [...new Set(result.map(({ id }) => short(id)))].join('\n')
  if (options.json) return JSON.stringify(result.map(asBuildah), null, 4)
  const rows = result.flatMap((one) =>
    (one.names.length > 0 ? one.names : ['<none>']).map((name) => ({
      Name: name.replace(/:[^:/]+$/, ''),
      Tag: /:([^:/]+)$/.exec(name)?.[1] ?? '<none>',
      ID: short(one.id),
      Digest: one.digest,
      Created: one.created ? formatAge(new Date(one.created)) : 'unknown',
      CreatedAt: one.created ? formatAge(new Date(one.created)) : 'unknown',
      CreatedAtRaw: one.created ?? '',
      Size: formatSize(one.size),
    })),
  )
  const { format } = options
  if (format !== undefined) return renderRows(format, rows)
  const digest = options.digests
  const body = rows.map((r) => [r.Name, r.Tag, ...(digest ? [r.Digest] : []), r.ID, r.Created, r.Size])
  const headings = ['REPOSITORY', 'TAG', ...(digest ? ['DIGEST'] : []), 'IMAGE ID', 'CREATED', 'SIZE']
  return formatTable(options.noheading ? body : [headings, ...body])
}

function summary(image: Image): ImageSummary {
  const { id, names, manifestDigest, config } = image
  const created = config.created === undefined ? {} : { created: config.created }
  return { id, names, digest: manifestDigest, ...created, size: imageSize(image), labels: config.config?.Labels ?? {} }
}

async function listSummaries(store: Store): Promise<readonly ImageSummary[]> {
  return Promise.all(
    (await listLists(store)).map(async (list) => {
      const { id, names, digest } = list
      const members = await listMembers(store, [list])
      const created = members
        .flatMap(({ config }) => config.created ?? [])
        .sort()
        .at(-1)
      const layers = new Map(
        members.flatMap(({ manifest }) => manifest.layers).map((layer) => [layer.digest, layer.size]),
      )
      const size = [...layers.values()].reduce((sum, one) => sum + one, 0)
      return {
        id,
        names,
        digest,
        isList: true as const,
        ...(created === undefined ? {} : { created }),
        size,
        labels: {},
      }
    }),
  )
}

function asBuildah(one: ImageSummary) {
  const created = one.created === undefined ? undefined : new Date(one.created)
  return {
    id: one.id,
    names: one.names,
    digest: one.digest,
    createdat: created ? formatAge(created) : 'unknown',
    size: formatSize(one.size),
    created: created ? Math.floor(created.getTime() / 1000) : 0,
    createdatraw: one.created ?? '',
    readonly: false,
    history: null,
  }
}

function filterBy(all: readonly ImageSummary[]): Readonly<Record<string, Filter<ImageSummary>>> {
  const createdOf = (wanted: string) => {
    const named = all.find((one) => one.id.startsWith(wanted) || one.names.some((name) => name.includes(wanted)))
    if (named) return named.created ?? ''
    const hint = 'builder images lists them'
    throw new BuilderError('NOT_FOUND', { operation: 'images --filter', object: wanted, reason: 'no such image', hint })
  }
  return {
    dangling: (one, value) => (one.names.length === 0) === (value === 'true'),
    label: (one, value) => {
      const [name = '', wanted] = value.split(/=(.*)/s)
      return name in one.labels && (wanted === undefined || one.labels[name] === wanted)
    },
    reference: (one, value) => one.names.some((name) => glob(value).test(name)),
    since: (one, value) => (one.created ?? '') > createdOf(value),
    before: (one, value) => (one.created ?? '') < createdOf(value),
    id: (one, value) => one.id.startsWith(value.replace(/^sha256:/, '')),
  }
}

/** `*` is any run of characters; without a tag any tag fits, and the registry may be left out. */
function glob(pattern: string): RegExp {
  const body = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^(?:.*/)?${body}(?::[^/:]+)?$`)
}

import { renderRows } from '../image/go-template.js'
import { formatTable, inOrder } from '../image/table.js'
import { listContainers } from '../store/containers.js'
import { isMounted } from '../store/mounts.js'
import { openStore } from '../store/store.js'
import { type Filter, parseFilters } from './filter.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link containers}. */
export interface ContainersOptions extends GlobalOptions {
  /**
   * Accepted for buildah's scripts: the store holds builder's containers only.
   * @short a
   */
  all?: boolean
  /** Print JSON. */
  json?: boolean
  /**
   * Print each container by a Go template, with .ContainerID, .Builder, .ImageID, .ImageName and .ContainerName.
   * @placeholder TEMPLATE
   */
  format?: string
  /**
   * Only containers that fit: id=, name= or ancestor=.
   * @short f
   * @placeholder KEY=VALUE
   */
  filter?: readonly string[]
  /**
   * Print the IDs only.
   * @short q
   */
  quiet?: boolean
  /**
   * Leave the column headings out.
   * @short n
   */
  noheading?: boolean
  /** Print IDs in full. */
  notruncate?: boolean
}

/** A working container in a list. */
export interface ContainerSummary {
  readonly id: string
  readonly name: string
  readonly imageID: string
  readonly imageName: string
  readonly created: string
  readonly mounted: boolean
}

/**
 * Lists the working containers, newest last.
 *
 * @verb
 * @alias list
 * @alias ls
 * @alias ps
 * @where outside
 * @offline
 * @stdout A table; IDs with --quiet; JSON with --json.
 * @example
 * ```sh
 * builder containers --quiet
 * ```
 * @example
 * ```ts
 * import { containers } from 'builder-sdk'
 * for (const { name } of await containers()) console.log(name)
 * ```
 */
export async function containers(options: ContainersOptions = {}): Promise<readonly ContainerSummary[]> {
  const filters = parseFilters('containers', options.filter ?? [], filterBy)
  const records = await listContainers(await openStore(options))
  const all = records.map((record) => ({
    id: record.id,
    name: record.name,
    imageID: record.from?.id ?? '',
    imageName: record.from?.name ?? 'scratch',
    created: record.created,
    mounted: isMounted(record),
  }))
  all.sort((a, b) => inOrder(a.created, b.created) || inOrder(a.name, b.name))
  return all.filter((one) => filters.every((fits) => fits(one)))
}

/** What the shell door prints. */
export function present(result: readonly ContainerSummary[], options: ContainersOptions): string {
  const short = (id: string) => (options.notruncate ? id : id.slice(0, 12))
  if (options.quiet) return result.map(({ id }) => id).join('\n')
  if (options.json) return JSON.stringify(result.map(asBuildah), null, 4)
  const rows = result.map((one) => ({
    ContainerID: short(one.id),
    Builder: '*',
    ImageID: short(one.imageID),
    ImageName: one.imageName,
    ContainerName: one.name,
  }))
  const { format } = options
  if (format !== undefined) return renderRows(format, rows)
  const headings = ['CONTAINER ID', 'BUILDER', 'IMAGE ID', 'IMAGE NAME', 'CONTAINER NAME']
  const body = rows.map((row) => [row.ContainerID, '   *', row.ImageID, row.ImageName, row.ContainerName])
  return formatTable(options.noheading ? body : [headings, ...body])
}

function asBuildah(one: ContainerSummary) {
  return { id: one.id, builder: true, imageid: one.imageID, imagename: one.imageName, containername: one.name }
}

const filterBy: Readonly<Record<string, Filter<ContainerSummary>>> = {
  id: (one, value) => one.id.startsWith(value),
  name: (one, value) => one.name.includes(value),
  ancestor: (one, value) => one.imageID.startsWith(value) || one.imageName.includes(value),
}

import type { History } from '../image/config.js'
import { renderRows } from '../image/go-template.js'
import { formatAge, formatSize, formatTable } from '../image/table.js'
import { findImage, type Image } from '../store/images.js'
import { sizedLayers } from '../store/layer-sizes.js'
import { allImages } from '../store/read-list.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** Options of {@link history}. */
export interface HistoryOptions extends GlobalOptions {
  /**
   * `json`, or a Go template with .ID, .Created, .CreatedAt, .CreatedSince, .CreatedBy, .Size and .Comment.
   * @placeholder json|TEMPLATE
   */
  format?: string
  /**
   * Ages and sizes for people; otherwise times and bytes.
   * @short H
   * @negatable
   * @default true
   */
  human?: boolean
  /** Print IDs and commands in full. */
  noTrunc?: boolean
  /**
   * Print the IDs only.
   * @short q
   */
  quiet?: boolean
}

/** One step of an image's history. */
export interface HistoryEntry {
  /** ID of the image that the step made, where the store has it: 64 hexadecimal digits. */
  readonly id?: string
  /** RFC 3339; undefined when the image does not tell. */
  readonly created?: string
  /** The command, as the builder of the image wrote it down. */
  readonly createdBy: string
  /** Bytes of the tar of the layer; 0 for a step that made none. */
  readonly size: number
  readonly comment: string
  /** True for a step that made no layer. */
  readonly isEmpty: boolean
}

/**
 * Shows how an image was made: its steps, newest first.
 *
 * Throws `NOT_FOUND` for an unknown image, `USAGE` for a template that cannot be read.
 *
 * @verb
 * @where outside
 * @stdout A table; IDs with --quiet; what --format says.
 * @param image - Name or ID of an image.
 * @example
 * ```sh
 * builder history --format '{{.Size}} {{.CreatedBy}}' web
 * ```
 * @example
 * ```ts
 * import { history } from 'builder-sdk'
 * const [last] = await history('web')
 * console.log(last?.createdBy, last?.size)
 * ```
 */
export async function history(image: string, options: HistoryOptions = {}): Promise<readonly HistoryEntry[]> {
  const store = await openStore(options)
  const found = await findImage(store, image, 'history')
  const all = await allImages(store)
  const layers = await sizedLayers(store, found)
  const steps = stepsOf(found)
  let used = 0
  const entries = steps.map((step, i) => {
    const isEmpty = step.empty_layer === true || used >= layers.length
    if (!isEmpty) used++
    const id = i === steps.length - 1 ? found.id : all.find((one) => isStage(one, found, i + 1, used))?.id
    return {
      ...(id === undefined ? {} : { id }),
      ...(step.created === undefined ? {} : { created: step.created }),
      createdBy: step.created_by ?? '',
      size: isEmpty ? 0 : (layers[used - 1]?.size ?? 0),
      comment: step.comment ?? '',
      isEmpty,
    }
  })
  return entries.reverse()
}

/** What the shell door prints. */
export function present(result: readonly HistoryEntry[], options: HistoryOptions): string {
  const { format, human = true, noTrunc = false } = options
  const idOf = ({ id }: HistoryEntry) => (id === undefined ? '<missing>' : noTrunc ? id : id.slice(0, 12))
  if (options.quiet) return result.map(idOf).join('\n')
  if (format === 'json') return JSON.stringify(result.map(asPodman))
  const rows = result.map((entry) => {
    const age = entry.created ? formatAge(new Date(entry.created)) : 'unknown'
    const time = entry.created ?? 'unknown'
    return {
      ID: idOf(entry),
      Created: human ? age : time,
      CreatedAt: time,
      CreatedSince: age,
      CreatedBy: noTrunc ? line(entry.createdBy) : short(line(entry.createdBy)),
      Size: human ? formatSize(entry.size) : `${entry.size}`,
      Comment: line(entry.comment),
    }
  })
  if (format !== undefined) return renderRows(format, rows)
  const headings = ['ID', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT']
  return formatTable([headings, ...rows.map((r) => [r.ID, r.Created, r.CreatedBy, r.Size, r.Comment])])
}

/** The steps, oldest first; a layer that no step tells of is a step of its own, below those that are told. */
function stepsOf({ config }: Image): readonly History[] {
  const told = config.history ?? []
  const withLayer = told.filter((step) => !step.empty_layer).length
  const untold = Math.max(0, config.rootfs.diff_ids.length - withLayer)
  return [...Array.from({ length: untold }, (): History => ({})), ...told]
}

/** True for an image whose history is the beginning of another's, and its layers too. */
function isStage(image: Image, of: Image, steps: number, layers: number): boolean {
  const { diff_ids } = image.config.rootfs
  if (diff_ids.length !== layers || stepsOf(image).length !== steps) return false
  if (!diff_ids.every((diffID, i) => of.config.rootfs.diff_ids[i] === diffID)) return false
  return stepsOf(image).every((step, i) => {
    const other = stepsOf(of)[i]
    return step.created_by === other?.created_by && step.created === other?.created
  })
}

function asPodman({ id, created, createdBy, size, comment }: HistoryEntry) {
  return { id: id ?? '<missing>', created: created ?? '', CreatedBy: createdBy, size, comment }
}

/** A heredoc is one line of the table. */
function line(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function short(text: string): string {
  return text.length <= 45 ? text : `${text.slice(0, 42)}...`
}

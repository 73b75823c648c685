import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { BuilderError } from '../../errors.js'
import type { Digest } from '../../image/digest.js'
import { findImage } from '../../store/find-image.js'
import { layerFiles } from '../../store/layer-files.js'
import { sizedLayers } from '../../store/layer-sizes.js'
import { hasLayer } from '../../store/layers.js'
import type { Store } from '../../store/store.js'
import type { ReportedLayer } from '../reported.js'
import { writeResult } from '../result-file.js'
import type { BuildRecord, StepRecord } from './record.js'
import { reportPage } from './report-page.js'

/** The path of a report, absolute. Throws `USAGE` when nothing can be written there: better now than after the build. */
export function reportPath(file: string): string {
  const path = resolve(file)
  const complain = (reason: string) => {
    const parts = { operation: 'build --report', object: file, reason, hint: 'name a file, such as build.html' }
    throw new BuilderError('USAGE', parts)
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) complain('it is a directory')
  let folder = dirname(path)
  while (!statSync(folder, { throwIfNoEntry: false })) folder = dirname(folder)
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    complain(`${folder} cannot be written to`)
  }
  return path
}

/** Writes the page on a build, also on one that failed. Throws system errors. */
export async function writeReport(path: string, record: BuildRecord, store: Store, error?: unknown): Promise<void> {
  const layers = await layersOf(record, store)
  const why = error === undefined ? {} : { error: error instanceof Error ? error.message : String(error) }
  await writeResult(path, reportPage({ record, layers, ...why }))
}

async function layersOf(record: BuildRecord, store: Store): Promise<readonly ReportedLayer[]> {
  const steps = new Map<Digest, StepRecord>()
  for (const step of record.steps)
    if (step.end?.layer && !steps.has(step.end.layer.diffID)) steps.set(step.end.layer.diffID, step)
  const layers: ReportedLayer[] = []
  const shown = new Set<Digest>()
  const add = (diffID: Digest, size: number, image?: string) => {
    const step = steps.get(diffID)
    const files = hasLayer(store, diffID) ? { files: layerFiles(store, diffID, mostFiles) } : {}
    layers.push({ diffID, size, ...files, ...(step ? { step } : {}), ...(image === undefined ? {} : { image }) })
    shown.add(diffID)
  }
  for (const { id, names, platform } of record.images) {
    const image = await findImage(store, id, 'build --report').catch(() => undefined)
    if (!image) continue
    const title = [names[0] ?? id.slice(0, 12), ...(platform ? [platform] : [])].join(' ')
    for (const { diffID, size } of await sizedLayers(store, image)) add(diffID, size, title)
  }
  for (const [diffID, { end }] of steps) if (!shown.has(diffID)) add(diffID, end?.layer?.size ?? 0)
  return layers
}

/** Of one layer. */
const mostFiles = 10

import type { Digest } from '../image/digest.js'
import type { LayerFiles } from '../store/layer-files.js'
import type { BuildRecord, StepRecord } from './build/record.js'

/** All that the page on a build says. */
export interface BuildReport {
  readonly record: BuildRecord
  /** Of the images, bottom first; then of steps that are in no image. */
  readonly layers: readonly ReportedLayer[]
  /** Why there is no image. */
  readonly error?: string
}

/** A layer, what is in it, and the step that made it or found it; none for a base image's. */
export interface ReportedLayer {
  readonly diffID: Digest
  readonly size: number
  /** Of the image, with its names; absent for a layer of no image. */
  readonly image?: string
  readonly step?: StepRecord
  /** Absent when it is not unpacked in the store. */
  readonly files?: LayerFiles
}

import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { asBuilderError } from '../errors.js'
import { canonicalJson } from '../image/config.js'
import { type Digest, hexOf, isDigest } from '../image/digest.js'
import type { Store } from './store.js'
import { replaceFile } from './temporary.js'

/**
 * The part of a kept step that the store itself reads: the layer that it keeps alive. What a step is, and what it made, is
 * the business of `sdk/steps/`.
 */
export interface KeptStep {
  readonly key: Digest
  readonly result: { readonly layer?: { readonly diffID: Digest; readonly size: number } }
}

/** A kept step with what tells whether it is still wanted. */
export interface UsedStep {
  readonly step: KeptStep
  /** Milliseconds since 1970 when it was made or last hit. */
  readonly used: number
}

/** A kept step; undefined when there is none, or when its file is damaged: that is a miss, never an error. */
export function readKeptStep(store: Store, key: Digest): KeptStep | undefined {
  return parseKeptStep(stepPath(store, key), key)
}

/**
 * Keeps a step, in place of an older one with this key. The layer that it names must be in the store, and the caller
 * shares the lock `store`, so that no prune comes between. Throws `SYSTEM`.
 */
export function writeKeptStep(store: Store, step: KeptStep): void {
  try {
    mkdirSync(stepsFolder(store), { recursive: true, mode: 0o700 })
  } catch (error) {
    throw asBuilderError(error, 'keep step', stepsFolder(store))
  }
  replaceFile(store, stepPath(store, step.key), canonicalJson(step))
}

/** Notes that a kept step was wanted: prune drops first what nobody used for long. */
export function touchKeptStep(store: Store, key: Digest): void {
  try {
    const now = new Date()
    utimesSync(stepPath(store, key), now, now)
  } catch {
    // A store that cannot be written, or a prune in the meantime: the step is still what it is.
  }
}

/** All kept steps that can be read. */
export function listKeptSteps(store: Store): UsedStep[] {
  return namesIn(store).flatMap((name) => {
    const path = join(stepsFolder(store), name)
    const key = `sha256:${name.replace(/\.json$/, '')}`
    const step = isDigest(key) ? parseKeptStep(path, key) : undefined
    const used = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs
    return step && used !== undefined ? [{ step, used }] : []
  })
}

/** Layers that kept steps name. */
export function layersOfSteps(store: Store): Set<Digest> {
  return new Set(listKeptSteps(store).flatMap(({ step }) => step.result.layer?.diffID ?? []))
}

/**
 * Forgets every kept step of which `wanted` does not approve, and every file that is none; gives how many. It is asked for those
 * that were used last first.
 */
export function dropKeptSteps(store: Store, wanted: (step: UsedStep) => boolean): number {
  const kept = new Set(
    listKeptSteps(store)
      .sort((a, b) => b.used - a.used)
      .filter(wanted)
      .map(({ step }) => `${hexOf(step.key)}.json`),
  )
  const dropped = namesIn(store).filter((name) => !kept.has(name))
  for (const name of dropped) rmSync(join(stepsFolder(store), name), { recursive: true, force: true })
  return dropped.length
}

function parseKeptStep(path: string, key: Digest): KeptStep | undefined {
  let step: Partial<KeptStep> | null
  try {
    step = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
  const layer = step?.result?.layer
  const fits = step?.key === key && typeof step.result === 'object' && step.result !== null
  return fits && (layer === undefined || isLayer(layer)) ? (step as KeptStep) : undefined
}

function isLayer(layer: { readonly diffID: unknown; readonly size: unknown } | null): boolean {
  return layer !== null && isDigest(layer.diffID) && Number.isSafeInteger(layer.size)
}

function namesIn(store: Store): string[] {
  try {
    return readdirSync(stepsFolder(store))
  } catch {
    return []
  }
}

function stepPath(store: Store, key: Digest): string {
  return join(stepsFolder(store), `${hexOf(key)}.json`)
}

function stepsFolder(store: Store): string {
  return join(store.root, 'cache/steps')
}

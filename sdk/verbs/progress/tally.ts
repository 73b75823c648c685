import { isOver, type ProgressEvent } from './event.js'

/** What is known of one blob so far. Times are milliseconds. */
export interface Tracked {
  readonly event: ProgressEvent
  /** When its first byte was on the way. */
  readonly began: number
  /** When its last event came. */
  readonly heard: number
  readonly rate: Rate
}

/** Sums over the blobs that had to move. */
export interface Totals {
  /** Layers, or packages, that are there now, and all of the work. */
  readonly layersDone: number
  readonly layers: number
  readonly counted: 'layer' | 'package'
  readonly bytes: number
  readonly total: number
}

/** Keeps what the events of one operation said last, in the order the blobs were named. */
export class Tally {
  readonly rate = new Rate()
  readonly #blobs = new Map<string, Tracked>()
  #began: number | undefined

  note(event: ProgressEvent, now: number): Tracked {
    this.#began ??= now
    const before = this.#blobs.get(event.name)
    const isStart = before === undefined || before.event.state === 'waiting' || isOver(before.event)
    const { began, rate } = isStart ? { began: now, rate: new Rate() } : before
    const tracked = { event, began, heard: now, rate }
    rate.note(event.bytes, now)
    this.#blobs.set(event.name, tracked)
    this.rate.note(this.totals().bytes, now)
    return tracked
  }

  /** Those whose bytes are on the way now. */
  atWork(): readonly Tracked[] {
    return [...this.#blobs.values()].filter(({ event }) => event.state !== 'waiting' && !isOver(event))
  }

  totals(): Totals {
    const sums = { layersDone: 0, layers: 0, bytes: 0, total: 0 }
    const events = [...this.#blobs.values()].map(({ event }) => event)
    const counted = events.some(({ kind }) => kind === 'package') ? 'package' : 'layer'
    for (const event of events) {
      if (event.kind === counted) sums.layers++
      if (event.kind === counted && isOver(event)) sums.layersDone++
      if (event.state === 'exists') continue
      sums.bytes += event.bytes
      sums.total += event.total ?? event.bytes
    }
    return { ...sums, counted }
  }

  /** Milliseconds that everything took; undefined while something is not there, and for a single blob. */
  wholeTime(now: number): number | undefined {
    const blobs = [...this.#blobs.values()]
    if (blobs.length < 2 || !blobs.every(({ event }) => isOver(event))) return undefined
    return now - (this.#began ?? now)
  }
}

/** Bytes a second over the last few seconds. */
export class Rate {
  #samples: { readonly time: number; readonly bytes: number }[] = []

  note(bytes: number, time: number): void {
    const last = this.#samples.at(-1)
    // A blob that begins again has fewer bytes than before.
    if (last && bytes < last.bytes) this.#samples = []
    this.#samples.push({ time, bytes })
    const old = this.#samples.findIndex((sample) => time - sample.time <= window)
    if (old > 1) this.#samples.splice(0, old - 1)
  }

  /** Undefined as long as there is too little to tell. */
  perSecond(now: number): number | undefined {
    const recent = this.#samples.filter(({ time }) => now - time <= window)
    const [first] = recent
    const last = recent.at(-1)
    if (!first || !last) return this.#samples.length > 0 ? 0 : undefined
    if (now - first.time < 300) return undefined
    return ((last.bytes - first.bytes) * 1000) / (now - first.time)
  }
}

const window = 5000

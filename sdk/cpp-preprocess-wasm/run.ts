import { type Instance, newInstance } from './instance.js'
import { type Limits, sentenceOf } from './messages.js'
import { type Diagnostic, lineMap, type Origin, type Place, type Preprocessed } from './result.js'

/** How an include is written: `"name"` or `<name>`. */
export type IncludeKind = 'quoted' | 'angled'

/** A file that the host found. `file` is its name in messages, in the map and in `__FILE__`, and what tells it from others. */
export interface IncludedFile {
  readonly file: string
  readonly text: string | Uint8Array
}

/** What the module asks its host for. */
export interface Wanted {
  readonly name: string
  readonly kind: IncludeKind
  /** The file that the `#include` is in. */
  readonly from: string
}

export interface RunOptions {
  readonly file: string
  readonly defines: readonly string[]
  readonly undefines: readonly string[]
  readonly limits: Limits
  readonly traditional: boolean
  readonly lineMarkers: boolean
}

/** One run of the module: gives what it wants included, and takes what was found. */
export function* run(
  source: string | Uint8Array,
  options: RunOptions,
): Generator<Wanted, Preprocessed, IncludedFile | undefined> {
  const wasm = newInstance()
  const memory = new Memory(wasm, options)
  const bytes = typeof source === 'string' ? encoder.encode(source) : source
  const { depth, input, output, expansions } = options.limits
  const mode = (options.traditional ? 1 : 0) | (options.lineMarkers ? 2 : 0)
  const [file, text, name] = memory.files.put(options.file, bytes)
  const seed = Math.floor(Math.random() * 0xffffffff)
  wasm.start(mode, seed, depth, input, output, expansions, Math.min(bytes.length, input, output))
  for (const word of options.defines) wasm.defineName(...memory.put(encoder.encode(word)))
  for (const word of options.undefines) wasm.undefineName(...memory.put(encoder.encode(word)))
  wasm.open(file, ...memory.putText(text), ...memory.put(name))
  while (wasm.run() !== 0) {
    const wanted = memory.wanted()
    const found = yield wanted
    if (found === undefined) wasm.miss()
    else {
      const [number, content, shown] = memory.files.put(found.file, found.text)
      wasm.provide(number, ...memory.putText(content), ...memory.put(shown))
    }
  }
  return memory.result()
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The files of a run, by their numbers. */
class Files {
  readonly names: string[] = []
  readonly #texts: Uint8Array[] = []
  readonly #lines = new Map<number, readonly string[]>()

  put(name: string, text: string | Uint8Array): [number: number, text: Uint8Array, name: Uint8Array] {
    const known = this.names.indexOf(name)
    const number = known < 0 ? this.names.push(name) - 1 : known
    const bytes = typeof text === 'string' ? encoder.encode(text) : text
    this.#texts[number] ??= bytes
    return [number, bytes, encoder.encode(name)]
  }

  line(file: number, line: number): string {
    const text = this.#texts[file]
    if (text === undefined) return ''
    let lines = this.#lines.get(file)
    if (lines === undefined) {
      lines = decoder.decode(text).split(/\r?\n/)
      this.#lines.set(file, lines)
    }
    return lines[line - 1] ?? ''
  }
}

/** The module's memory, as the host reads and writes it. */
class Memory {
  readonly files = new Files()
  readonly #wasm: Instance
  readonly #options: RunOptions

  constructor(wasm: Instance, options: RunOptions) {
    this.#wasm = wasm
    this.#options = options
  }

  put(bytes: Uint8Array): [at: number, size: number] {
    const at = this.#wasm.allocate(bytes.length + 8) >>> 0
    new Uint8Array(this.#wasm.memory.buffer).set(bytes, at)
    return [at, bytes.length]
  }

  /** What is larger than may be read is not even copied: the module refuses it for its size. */
  putText(bytes: Uint8Array): [at: number, size: number] {
    return bytes.length > this.#options.limits.input ? [0, bytes.length] : this.put(bytes)
  }

  wanted(): Wanted {
    const wasm = this.#wasm
    const [file = 0] = this.#frame(wasm.frameWanted())
    const name = this.#text(wasm.nameWanted(), wasm.nameWantedSize())
    return { name, kind: wasm.kindWanted() === 2 ? 'angled' : 'quoted', from: this.files.names[file] ?? '' }
  }

  result(): Preprocessed {
    const wasm = this.#wasm
    const text = this.#text(wasm.outputAt(), wasm.outputSize())
    const places = this.#numbers(wasm.placesAt(), wasm.placesSize()).slice()
    const lines = wasm.outputLines()
    const frames = this.#numbers(wasm.framesAt(), wasm.framesSize()).slice()
    const { files } = this
    return {
      text,
      map: lineMap(places, lines, (frame, line) => originOf(frames, files.names, frame, line)),
      files: files.names,
      diagnostics: this.#diagnostics(frames),
    }
  }

  #diagnostics(frames: Uint32Array): readonly Diagnostic[] {
    const records = this.#numbers(this.#wasm.faultsAt(), this.#wasm.faultsSize())
    return Array.from({ length: records.length / 8 }, (_, i) => {
      const [severity, number = 0, frame = 0, line = 0, at = 0, size = 0, otherFrame = 0, otherLine = 0] =
        records.subarray(i * 8, i * 8 + 8)
      const origin = originOf(frames, this.files.names, frame, line)
      const related = originOf(frames, this.files.names, otherFrame, otherLine)
      const isElsewhere = otherLine > 0 && (otherFrame !== frame || otherLine !== line)
      return {
        severity: severity === 1 ? 'warning' : 'error',
        ...sentenceOf(...cycleOf(number, this.#text(at, size), origin), this.#options.limits),
        ...origin,
        text: this.files.line(frames[frame * 3] ?? -1, line),
        ...(isElsewhere && { related: { file: related.file, line: related.line } }),
      }
    })
  }

  #frame(frame: number): Uint32Array {
    return this.#numbers(this.#wasm.framesAt(), this.#wasm.framesSize()).subarray(frame * 3, frame * 3 + 3)
  }

  #text(at: number, size: number): string {
    return decoder.decode(new Uint8Array(this.#wasm.memory.buffer, at >>> 0, size))
  }

  #numbers(at: number, size: number): Uint32Array {
    return new Uint32Array(this.#wasm.memory.buffer, at >>> 0, size / 4)
  }
}

/** Files nested too deep are a cycle when the last one is among those that include it. */
function cycleOf(number: number, what: string, { file, included }: Origin): [number: number, what: string] {
  const chain = [file, ...included.map((place) => place.file)]
  const again = chain.indexOf(what)
  if (number !== includeDepth || again < 0) return [number, what]
  return [
    includeCycle,
    [
      what,
      ...chain
        .slice(0, again + 1)
        .reverse()
        .slice(1),
      what,
    ].join(' > '),
  ]
}

const [includeDepth, includeCycle] = [2, 200]

/** Frames are triples: file, frame below, line in that. */
function originOf(frames: Uint32Array, names: readonly string[], frame: number, line: number): Origin {
  if (frame * 3 >= frames.length) return { file: '<defines>', line: 0, included: [] }
  const included: Place[] = []
  let at = frame
  while ((frames[at * 3 + 1] ?? noFrame) !== noFrame) {
    const below = frames[at * 3 + 1] ?? 0
    included.push({ file: names[frames[below * 3] ?? 0] ?? '', line: frames[at * 3 + 2] ?? 0 })
    at = below
  }
  return { file: names[frames[frame * 3] ?? 0] ?? '', line, included }
}

const noFrame = 0xffffffff

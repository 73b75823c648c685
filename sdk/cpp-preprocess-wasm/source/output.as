/** The text that comes out, and where its lines come from. */
import { Buffer, newBuffer } from './memory'
import { EXPANSION_LIMIT, FATAL, OUTPUT_LIMIT, report, stopped } from './faults'

let text: Buffer | null = null
/** Line of the output, frame, line of its file: for each line that does not follow from the one before it. */
let places: Buffer | null = null
/** The line that is written, from 1. */
export let outLine: u32 = 1
let lastFrame: u32 = 0
let nextLine: u32 = 0
let most: usize = 0
let mostExpansions: u32 = 0
let expansions: u32 = 0
let expanded: usize = 0

export function prepareOutput(size: usize, bytes: usize, count: u32): void {
  text = newBuffer(size + 4096)
  places = newBuffer(1024)
  outLine = 1
  lastFrame = 0xffffffff
  most = bytes
  mostExpansions = count
  expansions = 0
  expanded = 0
}

@inline
export function out(): Buffer {
  return text as Buffer
}

/** Says where the line that is written now comes from. */
export function place(frame: u32, line: u32): void {
  if (frame != lastFrame || line != nextLine) {
    const buffer = places as Buffer
    buffer.put32(outLine)
    buffer.put32(frame)
    buffer.put32(line)
  }
  lastFrame = frame
  nextLine = line
}

/** Ends the line that is written. */
export function endLine(): void {
  const buffer = text as Buffer
  buffer.put(0x0a)
  outLine++
  nextLine++
  if (buffer.size > most) report(FATAL, OUTPUT_LIMIT)
}

/** Counts an expansion by `size` bytes; false when there were too many, or when they made too much. */
export function mayExpand(size: usize): bool {
  expanded += size
  if (++expansions > mostExpansions || expanded > most) report(FATAL, EXPANSION_LIMIT)
  return !stopped
}

export function placesAt(): usize {
  return (places as Buffer).at
}

export function placesSize(): usize {
  return (places as Buffer).size
}

/** Lines as traditional cpp reads them: those that a backslash joins are one, and it is known where the joins were. */
import { BACKSLASH, isBlank, NEWLINE, RETURN } from './characters'
import { at, report, SPACED_SPLICE, stopped, WARNING } from './faults'
import { current, Frame, hasFrame } from './frames'
import { Buffer, newBuffer } from './memory'
import { leaveFile } from './traditional-output'

/** The line that is read, with a newline at its end. */
let text: Buffer | null = null
/** For each join: its offset in the line, and 1 when blanks stood behind the backslash. */
let joins: Buffer | null = null
let nextJoin: usize = 0
let joinAt: usize = usize.MAX_VALUE

export function prepareLines(): void {
  text = newBuffer(1024)
  joins = newBuffer(64)
}

@inline
export function lineStart(): usize {
  return (text as Buffer).at
}

@inline
export function lineLimit(): usize {
  return (text as Buffer).end
}

/** Takes the next line of the current file, or of those that include it; false when there is none. */
export function freshLine(mayLeave: bool): bool {
  while (hasFrame() && !stopped) {
    const frame = current()
    if (frame.cur < frame.end) {
      clean(frame)
      return true
    }
    if (!mayLeave) return false
    leaveFile()
  }
  return false
}

function clean(frame: Frame): void {
  const line = text as Buffer
  line.size = 0
  nextJoin = 0
  ;(joins as Buffer).size = 0
  let from = frame.cur
  while (true) {
    let end = from
    while (end < frame.end && load<u8>(end) != NEWLINE && load<u8>(end) != RETURN) end++
    let next = min(end + 1, frame.end)
    if (end < frame.end && load<u8>(end) == RETURN && next < frame.end && load<u8>(next) == NEWLINE) next++
    const begun = line.size
    line.append(from, end - from)
    frame.cur = next
    // At the end of a file there is nothing to join.
    if (end >= frame.end || !join(line, line.at + begun)) break
    from = next
    if (next >= frame.end) break
  }
  line.put(NEWLINE)
  findJoin()
}

/** Takes away a backslash at the end of what is from `from` on; false when there is none. */
function join(line: Buffer, from: usize): bool {
  let end = line.end
  while (end > from && isBlank(load<u8>(end - 1))) end--
  if (end == from || load<u8>(end - 1) != BACKSLASH) return false
  const isSpaced = end != line.end
  line.size = end - 1 - line.at
  const list = joins as Buffer
  list.put32(u32(line.size))
  list.put32(u32(isSpaced))
  return true
}

function findJoin(): void {
  const list = joins as Buffer
  joinAt = nextJoin < list.size ? lineStart() + usize(load<u32>(list.at + nextJoin)) : usize.MAX_VALUE
}

/** Counts the joins up to an address of the line. */
@inline
export function passJoins(address: usize): void {
  while (address >= joinAt) countJoin()
}

function countJoin(): void {
  const frame = current()
  if (load<u32>((joins as Buffer).at + nextJoin, 4) != 0) {
    at(frame.number, frame.line)
    report(WARNING, SPACED_SPLICE)
  }
  frame.line++
  nextJoin += 8
  findJoin()
}

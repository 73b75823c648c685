/** What traditional cpp prints: a logical line each, and in between what brings the reader to the right line. */
import { BACKSLASH, DOUBLE, NEWLINE, SPACE } from './characters'
import { current, Frame, hasFrame, pop } from './frames'
import { endLine, out, outLine, place } from './output'

let markers: bool = false
/** The line that a reader of the output thinks it is in. */
let shownLine: u32 = 0
/** Something stands in the line that is written. */
let printed: bool = false

export function preparePrinting(withMarkers: bool): void {
  markers = withMarkers
  printed = false
  shownLine = 1
}

/** What stands in front of everything. */
export function printStart(): void {
  const frame = current()
  marker(frame.name, frame.nameSize, 0, 0)
  markerOf('<built-in>')
  markerOf('<command-line>')
  marker(frame.name, frame.nameSize, 1, 0)
}

function markerOf(name: string): void {
  if (!markers) return
  const text = out()
  startLine(current(), 0)
  text.put(0x23)
  text.put(SPACE)
  text.put(0x30)
  text.put(SPACE)
  text.put(DOUBLE)
  for (let i = 0; i < name.length; i++) text.put(u8(name.charCodeAt(i)))
  text.put(DOUBLE)
  endLine()
}

/** `# 1 "file" 2`; without markers only what was begun is ended. */
export function marker(name: usize, size: usize, line: u32, flag: u32): void {
  endPrinted()
  if (!markers) return
  const text = out()
  shownLine = line
  startLine(current(), line)
  text.put(0x23)
  text.put(SPACE)
  text.putNumber(line)
  text.put(SPACE)
  text.put(DOUBLE)
  for (let i: usize = 0; i < size; i++) putQuoted(load<u8>(name + i))
  text.put(DOUBLE)
  if (flag != 0) {
    text.put(SPACE)
    text.putNumber(flag)
  }
  endLine()
}

function putQuoted(c: u8): void {
  const text = out()
  if (c == BACKSLASH || c == DOUBLE) text.put(BACKSLASH)
  else if (c < 0x20 || c == 0x7f) {
    text.put(BACKSLASH)
    text.put(0x30 + (c >> 6))
    text.put(0x30 + ((c >> 3) & 7))
    c = 0x30 + (c & 7)
  }
  text.put(c)
}

function startLine(frame: Frame, line: u32): void {
  place(frame.number, line)
}

function endPrinted(): void {
  if (!printed) return
  endLine()
  printed = false
}

/** Brings the reader to a line of the current file. */
export function printTo(line: u32): void {
  const frame = current()
  if (printed) {
    endPrinted()
    shownLine++
  }
  const shown = line + frame.shift
  if (markers && shown >= shownLine && shown < shownLine + 8) {
    for (; shownLine < shown; shownLine++) {
      startLine(frame, line - (shown - shownLine))
      endLine()
    }
  } else if (markers) marker(frame.name, frame.nameSize, shown, 0)
}

/** Prints a logical line that began in a line of the current file. */
export function printLine(from: usize, size: usize, line: u32): void {
  printTo(line)
  const text = out()
  const frame = current()
  startLine(frame, line)
  // What a call spread over lines may leave newlines in it.
  let begin = from
  for (let p = from; p < from + size; p++)
    if (load<u8>(p) == NEWLINE) {
      text.append(begin, p - begin)
      endLine()
      begin = p + 1
    }
  text.append(begin, from + size - begin)
  printed = true
}

/** Prints a whole line of its own, such as a pragma. */
export function printOwnLine(from: usize, size: usize, line: u32): void {
  printTo(line)
  startLine(current(), line)
  out().append(from, size)
  endLine()
  shownLine++
}

export function enterFile(): void {
  const frame = current()
  marker(frame.name, frame.nameSize, 1, 1)
}

/** Ends the current file, and says so. */
export function leaveFile(): void {
  pop()
  if (hasFrame()) {
    const frame = current()
    marker(frame.name, frame.nameSize, frame.line + frame.shift, 2)
  }
}

export function finishPrinting(): void {
  endPrinted()
}

export function linesSoFar(): u32 {
  return outLine
}

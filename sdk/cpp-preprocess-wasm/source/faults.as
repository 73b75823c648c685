/** What is wrong with the input. The host knows a sentence for each number; the two lists must agree. */
import { allocate, Buffer, kept, newBuffer } from './memory'

export const ERROR: u32 = 0
export const WARNING: u32 = 1
/** An error that nothing can follow. */
export const FATAL: u32 = 2

export const INCLUDE_MISSING: u32 = 1
export const INCLUDE_DEPTH: u32 = 2
export const INCLUDE_FORM: u32 = 3
export const NO_ENDIF: u32 = 4
export const NO_IF: u32 = 5
export const AFTER_ELSE: u32 = 6
export const RECURSION: u32 = 7
export const NO_CALL_END: u32 = 8
export const FEW_ARGUMENTS: u32 = 9
export const MANY_ARGUMENTS: u32 = 10
export const MACRO_NAME: u32 = 11
export const PARAMETERS: u32 = 12
export const SAID_ERROR: u32 = 13
export const SAID_WARNING: u32 = 14
export const NO_COMMENT_END: u32 = 15
export const NO_HEREDOC_END: u32 = 16
export const REDEFINED: u32 = 17
export const EXTRA_TEXT: u32 = 18
export const INPUT_LIMIT: u32 = 19
export const OUTPUT_LIMIT: u32 = 20
export const EXPANSION_LIMIT: u32 = 21
export const UNKNOWN_DIRECTIVE: u32 = 22
export const RESERVED_NAME: u32 = 23
export const DIRECTIVE_IN_CALL: u32 = 24
export const CONDITION_DEPTH: u32 = 25
export const MACRO_DEPTH: u32 = 26
export const SPACED_SPLICE: u32 = 27
export const LINE_NUMBER: u32 = 28
export const LINE_FILE: u32 = 29
export const ONCE_IN_MAIN: u32 = 30
export const UNSUPPORTED: u32 = 31
// Of expressions.
export const NO_EXPRESSION: u32 = 40
export const NO_OPERAND: u32 = 41
export const NO_CLOSE: u32 = 42
export const NO_OPEN: u32 = 43
export const DIVISION: u32 = 44
export const NO_OPERATOR: u32 = 45
export const BAD_TOKEN: u32 = 46
export const NOT_INTEGER: u32 = 47
export const TOO_LARGE: u32 = 48
export const NO_COLON: u32 = 49
export const NO_DEFINED_NAME: u32 = 50
export const EXPRESSION_DEPTH: u32 = 51
export const OVERFLOW: u32 = 52
export const SO_LARGE: u32 = 53
export const BAD_CHARACTER: u32 = 54
export const NO_QUESTION: u32 = 55

@unmanaged
class Fault {
  severity: u32
  code: u32
  frame: u32
  line: u32
  object: u32
  objectSize: u32
  otherFrame: u32
  otherLine: u32
}

/** More than these say nothing new. */
const MOST: u32 = 64

let list: Buffer | null = null
/** Nothing can follow. */
export let stopped: bool = false
let frame: u32 = 0
let line: u32 = 0

export function prepareFaults(): void {
  list = newBuffer(256)
  stopped = false
}

/** Where the next faults are: a frame's number and a line of its file. */
@inline
export function at(newFrame: u32, newLine: u32): void {
  frame = newFrame
  line = newLine
}

/** The object is the words that the sentence names. */
export function report(severity: u32, code: u32, object: usize = 0, size: usize = 0): void {
  reportWith(severity, code, object, size, frame, line)
}

/** With a second place, such as where the conditional began. */
export function reportWith(severity: u32, code: u32, object: usize, size: usize, otherFrame: u32, otherLine: u32): void {
  if (stopped) return
  const buffer = list as Buffer
  const most = usize(MOST) * offsetof<Fault>()
  if (severity == FATAL) stopped = true
  else if (buffer.size >= most) {
    if (severity == ERROR) stopped = true
    return
  }
  const fault = changetype<Fault>(allocate(offsetof<Fault>()))
  fault.severity = severity
  fault.code = code
  fault.frame = frame
  fault.line = line
  fault.objectSize = u32(min<usize>(size, 512))
  fault.object = u32(kept(object, fault.objectSize))
  fault.otherFrame = otherFrame
  fault.otherLine = otherLine
  buffer.append(changetype<usize>(fault), offsetof<Fault>())
}

export function faultsAt(): usize {
  return (list as Buffer).at
}

export function faultsSize(): usize {
  return (list as Buffer).size
}

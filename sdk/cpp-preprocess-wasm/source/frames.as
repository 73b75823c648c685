/** The files that are being read, the including ones below the included one, and their conditionals. */
import { Macro, NONE } from './macros'
import { allocate, Buffer, newBuffer } from './memory'
import { at, CONDITION_DEPTH, ERROR, FATAL, INCLUDE_DEPTH, INPUT_LIMIT, report, reportWith, NO_ENDIF } from './faults'

@unmanaged
export class Frame {
  below: Frame | null
  /** Its place in the list of all frames. */
  number: u32
  /** The host's number for the file. */
  file: u32
  /** The next byte, and the end. */
  cur: usize
  end: usize
  /** The line of `cur`, from 1. */
  line: u32
  depth: u32
  condition: Condition | null
  /** The name that `__FILE__` gives. */
  name: usize
  nameSize: usize
  /** What `#line` adds to the lines that follow it. */
  shift: u32
  /** Nothing stood outside of the conditional that guards the file, so far; and the name that guards it. */
  mayGuard: bool
  guard: Macro | null
}

@unmanaged
export class Condition {
  outer: Condition | null
  /** Where it began. */
  line: u32
  depth: u32
  /** True when what is around it is skipped. */
  wasSkipping: bool
  /** A group was chosen already. */
  isDone: bool
  hadElse: bool
  /** The name that guards the file, when this conditional is around all of it. */
  guard: Macro | null
}

const MOST_CONDITIONS: u32 = 100_000

let top: Frame | null = null
/** All frames that ever were: file, frame below, line in it; 12 bytes each. */
let all: Buffer | null = null
let mostDepth: u32 = 0
let mostInput: usize = 0
let input: usize = 0
/** Text is left out until the conditional says otherwise. */
export let skipping: bool = false
let free: Condition | null = null
let guards: bool = false
/** For each file the address of the macro that guards it, or 0. */
let guardOf: Buffer | null = null

/** @param withGuards - A file whose whole text a defined name leaves out is not read again. */
export function prepareFrames(depth: u32, bytes: usize, withGuards: bool): void {
  guards = withGuards
  guardOf = newBuffer(64)
  top = null
  all = newBuffer(256)
  mostDepth = depth
  mostInput = bytes
  input = 0
  skipping = false
}

/** The file that is read now. */
@inline
export function current(): Frame {
  return top as Frame
}

@inline
export function hasFrame(): bool {
  return top !== null
}

/** Begins to read a file, on account of a line of the one that was read. False when it may not. */
export function push(file: u32, text: usize, size: usize, name: usize, nameSize: usize, line: u32): bool {
  const below = top
  const depth: u32 = below === null ? 0 : below.depth + 1
  if (depth > mostDepth) {
    report(FATAL, INCLUDE_DEPTH, name, nameSize)
    return false
  }
  // Again for each time that the file is read, so that doubling includes end.
  input += size + 64
  if (size > mostInput || input > mostInput + 64) {
    report(FATAL, INPUT_LIMIT, name, nameSize)
    return false
  }
  const frame = changetype<Frame>(allocate(offsetof<Frame>()))
  const list = all as Buffer
  frame.below = below
  frame.number = u32(list.size / 12)
  frame.file = file
  // A byte order mark is no text.
  const mark: usize = size >= 3 && (load<u32>(text) & 0xffffff) == 0xbfbbef ? 3 : 0
  frame.cur = text + mark
  frame.end = text + size
  frame.line = 1
  frame.depth = depth
  frame.condition = null
  frame.name = name
  frame.nameSize = nameSize
  frame.shift = 0
  frame.mayGuard = guards
  frame.guard = null
  list.put32(file)
  list.put32(below === null ? 0xffffffff : below.number)
  list.put32(line)
  top = frame
  return true
}

/** Ends the current file. Conditionals that it leaves open are reported. */
export function pop(): void {
  const frame = current()
  let condition = frame.condition
  while (condition !== null) {
    at(frame.number, condition.line)
    report(ERROR, NO_ENDIF)
    skipping = condition.wasSkipping
    condition = condition.outer
  }
  frame.condition = null
  top = frame.below
  if (!frame.mayGuard || frame.guard === null) return
  const list = guardOf as Buffer
  while (list.size <= usize(frame.file) << 2) list.put32(0)
  store<u32>(list.at + (usize(frame.file) << 2), u32(changetype<usize>(frame.guard)))
}

/** True for a file that would give nothing: the name that guards it is defined. */
export function isGuarded(file: u32): bool {
  const list = guardOf as Buffer
  if (list.size <= usize(file) << 2) return false
  const macro = changetype<Macro | null>(usize(load<u32>(list.at + (usize(file) << 2))))
  return macro !== null && macro.kind != NONE
}

/** @param guard - The name whose definition leaves out the group. */
export function openCondition(taken: bool, line: u32, guard: Macro | null): void {
  const frame = current()
  const outer = frame.condition
  let condition = free
  if (condition === null) condition = changetype<Condition>(allocate(offsetof<Condition>()))
  else free = condition.outer
  condition.outer = outer
  condition.line = line
  condition.depth = outer === null ? 1 : outer.depth + 1
  condition.wasSkipping = skipping
  condition.isDone = taken || skipping
  condition.hadElse = false
  condition.guard = frame.mayGuard && frame.guard === null ? guard : null
  frame.mayGuard = false
  frame.condition = condition
  if (!taken) skipping = true
  if (condition.depth > MOST_CONDITIONS) report(FATAL, CONDITION_DEPTH)
}

/** `#else`, and `#elif` with what it says: `taken` counts only while no group was chosen. */
export function nextGroup(condition: Condition, taken: bool, isElse: bool): void {
  if (isElse) condition.hadElse = true
  condition.guard = null
  skipping = condition.isDone || !taken
  if (taken) condition.isDone = true
}

export function closeCondition(condition: Condition): void {
  const frame = current()
  skipping = condition.wasSkipping
  frame.condition = condition.outer
  if (condition.outer === null && condition.guard !== null) {
    frame.mayGuard = true
    frame.guard = condition.guard
  }
  condition.outer = free
  free = condition
}

export function framesAt(): usize {
  return (all as Buffer).at
}

export function framesSize(): usize {
  return (all as Buffer).size
}

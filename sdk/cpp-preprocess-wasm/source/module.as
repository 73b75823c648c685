/**
 * The module's door. It imports nothing: the host puts files into memory, calls `run`, and answers when an include is wanted.
 * Everything is UTF-8 or whatever bytes the host has.
 */
import { prepareContainerfile, runContainerfile } from './containerfile'
import { defineBuiltIns, defineWord } from './definition'
import {
  isReadOnce,
  missWanted,
  prepareDirectives,
  provideWanted,
  undefineWord,
  wantedKind,
  wantedName,
  wantedSize,
} from './directives'
import { at, faultsAt, faultsSize, prepareFaults, stopped } from './faults'
import { current, framesAt, framesSize, prepareFrames, push } from './frames'
import { prepareMacros } from './macros'
import { allocate } from './memory'
import { prepareNumbers } from './number'
import { out, outLine, placesAt, placesSize, prepareOutput } from './output'
import { prepareTraditional, runTraditional } from './traditional-directives'
import { enterFile, finishPrinting, printStart, printTo } from './traditional-output'

export { allocate, faultsAt, faultsSize, framesAt, framesSize, placesAt, placesSize }

let isTraditional: bool = false

/** `mode`: bit 0 for traditional, bit 1 for its line markers. Sizes are bytes. */
export function start(mode: u32, seed: u32, depth: u32, input: u32, output: u32, expansions: u32, expected: u32): void {
  prepareFaults()
  prepareMacros(seed)
  isTraditional = (mode & 1) != 0
  prepareFrames(depth, input, isTraditional)
  prepareDirectives()
  prepareNumbers(isTraditional)
  prepareOutput(expected, output, expansions)
  if (isTraditional) prepareTraditional((mode & 2) != 0)
  else prepareContainerfile()
  defineBuiltIns(isTraditional)
  at(0xffffffff, 0)
}

/** As `-D` and `-U` give them. */
export function defineName(text: usize, size: usize): void {
  defineWord(text, size)
}

export function undefineName(text: usize, size: usize): void {
  undefineWord(text, size)
}

/** The file to begin with. */
export function open(file: u32, text: usize, size: usize, name: usize, nameSize: usize): void {
  if (push(file, text, size, name, nameSize, 0) && isTraditional) printStart()
}

/** 1 when an include is wanted: then `provide` or `miss`, and again. 0 when everything is read, or nothing can follow. */
export function run(): u32 {
  if (isTraditional) runTraditional()
  else runContainerfile()
  if (!stopped && wantedKind != 0) return 1
  if (isTraditional && !stopped) finishPrinting()
  return 0
}

/** Quoted 1, angled 2. */
export function kindWanted(): u32 {
  return wantedKind
}

export function nameWanted(): usize {
  return wantedName
}

export function nameWantedSize(): usize {
  return wantedSize
}

/** The frame that wants it. */
export function frameWanted(): u32 {
  return current().number
}

export function provide(file: u32, text: usize, size: usize, name: usize, nameSize: usize): void {
  if (isTraditional && !isReadOnce(file)) printTo(current().line)
  if (provideWanted(file, text, size, name, nameSize) && isTraditional) enterFile()
}

export function miss(): void {
  missWanted()
}

export function outputAt(): usize {
  return out().at
}

/** The lines of the output; the last one may lack its end. */
export function outputLines(): u32 {
  const text = out()
  return outLine - 1 + u32(text.size > 0 && load<u8>(text.end - 1) != 0x0a)
}

export function outputSize(): usize {
  return out().size
}

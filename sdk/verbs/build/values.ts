import { readFileSync } from 'node:fs'
import { asBuilderError, BuilderError } from '../../errors.js'
import type { BuildOptions } from './options.js'

/** Values of ARGs by name: those of files first, then those of the command line. Throws `USAGE`, `SYSTEM`. */
export function argumentsOf({ buildArg = [], buildArgFile = [] }: BuildOptions): ReadonlyMap<string, string> {
  const lines = buildArgFile.flatMap((file) => linesOf(file).map((line) => [line, file] as const))
  const all = [...lines, ...buildArg.map((text) => [text, '--build-arg'] as const)]
  return new Map(all.flatMap(([text, where]) => pairOf(text, where)))
}

/** `NAME=value` of `--env`; NAME alone is taken from here, and is nothing where it is not set. Throws `USAGE`. */
export function environmentOf({ env = [] }: BuildOptions): readonly string[] {
  return env.flatMap((text) => pairOf(text, '--env').map(([name, value]) => `${name}=${value}`))
}

function pairOf(text: string, where: string): [string, string][] {
  const at = text.indexOf('=')
  const name = at < 0 ? text : text.slice(0, at)
  if (name === '' || /\s/.test(name))
    throw new BuilderError('USAGE', {
      operation: `build ${where}`,
      object: text || '""',
      reason: 'it has no name',
      hint: 'write NAME=value',
    })
  if (at >= 0) return [[name, text.slice(at + 1)]]
  const value = process.env[name]
  return value === undefined ? [] : [[name, value]]
}

function linesOf(file: string): readonly string[] {
  try {
    const lines = readFileSync(file, 'utf8').split(/\r?\n/)
    return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
  } catch (error) {
    throw asBuilderError(error, 'build --build-arg-file', file)
  }
}

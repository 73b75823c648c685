import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { asBuilderError, BuilderError } from '../errors.js'
import { findProgram } from '../runtime/programs.js'
import { becomeOnHost } from './become-on-host.js'
import type { GlobalOptions } from './global.js'
import { sessionEnvironment } from './session-environment.js'

/** Options of {@link recipe}. */
export interface RecipeOptions extends GlobalOptions {
  /**
   * Program that reads the recipe; default: the shell of the script's first line, else `sh`; `node` for .js, .mjs, .ts and .mts.
   * @placeholder PROGRAM
   */
  shell?: string
}

/** How the recipe ended. */
export interface RecipeResult {
  /** The script's exit code; 128 + the signal's number when a signal ended it. */
  readonly exitCode: number
}

/**
 * Runs a script whose builder verbs cost milliseconds.
 *
 * The script is root of a user namespace, as with `builder unshare`, and its verbs are answered by one engine that ends
 * with it. Recipes written for `#!/bin/sh` or `#!/usr/bin/env bash` run unchanged; a recipe can also name builder itself in its first line:
 * `#!/usr/bin/env -S builder recipe`.
 *
 * Throws `NOT_FOUND` for a missing script or program, `UNSUPPORTED` for a .ts recipe when Node cannot read TypeScript.
 *
 * @verb
 * @where session
 * @passthrough args
 * @stdout What the script prints.
 * @param file - The script.
 * @param args - Its arguments.
 * @example
 * ```sh
 * builder recipe recipes/hello/hello.sh
 * ```
 */
export async function recipe(
  file: string,
  args: readonly string[] = [],
  options: RecipeOptions = {},
): Promise<RecipeResult> {
  const script = resolve(file)
  readable(script, file)
  const firstLine = legible(script, file)
  const reader = options.shell === undefined ? readerOf(file, firstLine) : [options.shell]
  const env = sessionEnvironment(options)
  return { exitCode: await becomeOnHost('recipe', { argv: [...reader, script, ...args], env }) }
}

/** The script prints for itself. */
export function present(): string {
  return ''
}

function readable(script: string, file: string): void {
  try {
    accessSync(script, constants.R_OK)
  } catch (error) {
    throw asBuilderError(error, 'recipe', file)
  }
  if (statSync(script).isFile()) return
  const hint = 'name the script in it'
  throw new BuilderError('USAGE', { operation: 'recipe', object: file, reason: 'it is not a file', hint })
}

/**
 * The first line. A shell would take the first words of what is no script for commands, or its line ends for a part of them.
 */
function legible(script: string, file: string): string {
  const start = Buffer.alloc(4096)
  const descriptor = openSync(script, 'r')
  const length = readSync(descriptor, start)
  closeSync(descriptor)
  const [firstLine = ''] = start.toString('latin1', 0, length).split('\n', 1)
  if (firstLine.includes('\0')) {
    const hint = `run a program with builder unshare ${file}`
    throw new BuilderError('USAGE', {
      operation: 'recipe',
      object: file,
      reason: 'it is a program, not a script',
      hint,
    })
  }
  if (!firstLine.endsWith('\r') || /\.m?[jt]s$/.test(file)) return firstLine
  const reason = 'its lines end with CR LF, as on Windows, and a shell takes the CR for a part of the words'
  const hint = `make them plain: sed -i 's/\\r$//' ${file}`
  throw new BuilderError('USAGE', { operation: 'recipe', object: file, reason, hint })
}

function readerOf(file: string, firstLine: string): readonly string[] {
  const extension = extname(file)
  if (extension === '.js' || extension === '.mjs') return [process.execPath]
  if (extension !== '.ts' && extension !== '.mts') return shellOf(firstLine)
  // Node 22.18 and newer take the types off by themselves.
  if ((process.features as { typescript?: unknown }).typescript) return [process.execPath]
  if (findProgram('tsx')) return ['tsx']
  throw new BuilderError('UNSUPPORTED', {
    operation: 'recipe',
    object: file,
    reason: `Node.js ${process.versions.node} does not read TypeScript`,
    hint: 'install tsx (npm install --global tsx), or Node.js 22.18 or newer',
  })
}

/** The shell that the first line asks for, with its flags; `sh` when it names another program, such as builder. */
function shellOf(firstLine: string): readonly string[] {
  const [, shell, flags] = /^#! *(?:\S*\/env +)?(?:\S*\/)?(bash|dash|ksh|zsh)(?: +(-\S+))? *$/.exec(firstLine) ?? []
  if (shell === undefined) return ['sh']
  return flags === undefined ? [shell] : [shell, flags]
}

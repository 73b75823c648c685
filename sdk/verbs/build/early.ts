import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { BuildOutput } from '../../containerfile/output.js'
import { asBuilderError, BuilderError } from '../../errors.js'
import type { BuildOptions } from './options.js'

/**
 * Tells before anything is built what could only be told at its end, or at a step that comes late: places that nothing can
 * be written to, and settings of commands that are wrongly written. Throws `USAGE`, `EXISTS`, `SYSTEM`, `UNSUPPORTED`.
 */
export async function checkEarly(options: BuildOptions, outputs: readonly BuildOutput[]): Promise<void> {
  if (options.iidfile) checkFile('build --iidfile', options.iidfile)
  if (options.metadataFile) checkFile('build --metadata-file', options.metadataFile)
  for (const output of outputs) checkOutput(output)
  if (!ofCommands.some((name) => options[name] !== undefined)) return
  // It brings along what runs commands.
  const { checkSettings } = await import('../run/settings.js')
  checkSettings(options)
}

/** Settings that are read where a command is run. */
const ofCommands = ['addHost', 'dns', 'shmSize', 'ulimit', 'securityOpt', 'network', 'allow'] as const

function checkOutput(output: BuildOutput): void {
  if (!('dest' in output) || output.dest === undefined || output.dest === '-') return
  const isFolder = output.type === 'local' || (output.type === 'oci' && !output.tar)
  if (isFolder) {
    if (stat('build --output', output.dest)?.isDirectory() === false) throw inTheWay(output.dest)
    checkFolder('build --output', output.dest)
  } else checkFile('build --output', output.dest)
}

function checkFile(operation: string, path: string): void {
  if (stat(operation, path)?.isDirectory()) throw refused(operation, path, 'it is a folder', 'name a file in it')
  checkFolder(operation, dirname(resolve(path)))
}

/** The folder, or the nearest one above it that is there: the others are made. */
function checkFolder(operation: string, path: string): void {
  let folder = resolve(path)
  while (folder !== '/' && !stat(operation, folder)) folder = dirname(folder)
  if (!stat(operation, folder)?.isDirectory())
    throw refused(operation, path, `${folder} is no folder`, 'name another place')
  try {
    accessSync(folder, constants.W_OK)
  } catch (cause) {
    throw new BuilderError('SYSTEM', {
      operation,
      object: path,
      reason: `nothing can be written in ${folder}`,
      hint: 'name another place',
      cause,
    })
  }
}

function stat(operation: string, path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    // A file among the folders that lead there.
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw asBuilderError(error, operation, path)
  }
}

function inTheWay(object: string): BuilderError {
  const [reason, hint] = ['a file of that name is there', 'name another folder']
  return new BuilderError('EXISTS', { operation: 'write output', object, reason, hint })
}

function refused(operation: string, object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('USAGE', { operation, object, reason, hint })
}

import { readFileSync } from 'node:fs'
import { hostname as machineName } from 'node:os'
import { posix } from 'node:path'
import { BuilderError } from '../../errors.js'
import type { ExecutionConfig } from '../../image/config.js'
import { parseDevice } from '../../runtime/device.js'
import { parseEnv } from '../../runtime/environment.js'
import { hostDevices } from '../../runtime/host-devices.js'
import type { MountRequest } from '../../runtime/mount-request.js'
import { parseSecurityOptions } from '../../runtime/security-option.js'
import { parseTmpfs } from '../../runtime/tmpfs-option.js'
import { insidePath, parseVolume } from '../../runtime/volume.js'
import type { RunOptions } from '../run/options.js'
import type { ImageRun } from './image-run.js'
import type { RunImageOptions } from './options.js'

/** The options in the words of a run in a container. Throws `NOT_FOUND` for an environment file, `INVALID`, `USAGE`. */
export function runOptionsOf(options: RunImageOptions, id: string): RunOptions {
  const { user, workdir, tty, capAdd, capDrop, device, securityOpt, addHost, dns, shmSize, ulimit } = options
  const { isolation, runtime, root, runroot, storageDriver, signal } = options
  const network = options.network === 'host' || options.network === 'none' ? options.network : 'private'
  const given: Record<keyof RunOptions & string, unknown> | Record<string, unknown> = {
    ...{ root, runroot, storageDriver, signal, isolation, runtime },
    ...{ user, capAdd, capDrop, device, securityOpt, addHost, dns, shmSize, ulimit, network },
    workingdir: workdir,
    terminal: tty,
    hostname: options.hostname ?? (network === 'host' ? machineName() : id.slice(0, 12)),
    env: Object.entries(environmentOf(options)).map(([name, value]) => `${name}=${value}`),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as RunOptions
}

/** What a run in a container does not have. Throws `USAGE`, `UNSUPPORTED`, `NOT_FOUND` for what is wrongly written. */
export function imageRunOf(options: RunImageOptions, config: ExecutionConfig): ImageRun {
  const { privileged = false, capAdd = [], readOnly = false, pid, ipc, uts } = options
  const { seccomp } = parseSecurityOptions(options.securityOpt ?? [])
  const [anonymous, binds] = volumesOf(options.volume ?? [])
  const mounts: MountRequest[] = [
    ...binds.map((text) => parseVolume(text, 'propagate')),
    ...(options.tmpfs ?? []).map(parseTmpfs),
  ]
  const shares = Object.entries({ pid, ipc, uts } as const).flatMap(([name, of]) => (of === 'host' ? [name] : []))
  return {
    volumes: [...Object.keys(config.Volumes ?? {}), ...anonymous],
    mounts: privileged ? [...mounts, ...devicesBeside(options.device ?? [])] : mounts,
    request: {
      shares: shares as ('pid' | 'ipc' | 'uts')[],
      readonlyRoot: readOnly,
      ...(privileged
        ? {
            capAdd: [...capAdd, 'ALL'],
            seccomp: seccomp ?? 'unconfined',
            unmasked: true,
            showsCgroups: true,
          }
        : {}),
    },
  }
}

/**
 * The words that are started: `--entrypoint` takes the place of the image's entry point and drops its command, words on the command
 * line take the place of its command. Throws `USAGE` when there are none.
 */
export function commandOf(
  image: string,
  { Entrypoint = [], Cmd = [] }: ExecutionConfig,
  command: readonly string[],
  entrypoint: string | undefined,
): readonly string[] {
  const words =
    entrypoint === undefined
      ? [...Entrypoint, ...(command.length > 0 ? command : Cmd)]
      : [...entrypointWords(entrypoint), ...command]
  if (words.length > 0) return words
  throw new BuilderError('USAGE', {
    operation: 'run-image',
    object: image,
    reason: 'no command is given and the image has none',
    hint: `write builder run-image ${image} COMMAND`,
  })
}

function entrypointWords(text: string): readonly string[] {
  if (!text.startsWith('[')) return text === '' ? [] : [text]
  try {
    const words: unknown = JSON.parse(text)
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words
  } catch {
    // It is said below what it should have been.
  }
  throw new BuilderError('USAGE', {
    operation: 'run-image --entrypoint',
    object: JSON.stringify(text),
    reason: 'it begins with [ and is no JSON list of words',
    hint: 'write ["word", "word"], or one word',
  })
}

/** All variables that were given, as they are now: a later file or flag wins. */
export function environmentOf({ env = [], envFile = [] }: RunImageOptions): Record<string, string> {
  return parseEnv([...envFile.flatMap(linesOf), ...env])
}

function linesOf(path: string): string[] {
  const lines = textOf(path)
    .split('\n')
    .map((line) => line.replace(/^\s+/, '').replace(/\r$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
  const odd = lines.find((line) => /^[^=]*\s/.test(line))
  if (odd === undefined) return lines
  const reason = `it holds the line ${JSON.stringify(odd.slice(0, 80))}, which is not NAME=value`
  throw new BuilderError('INVALID', { operation: 'read variables', object: path, reason, hint: 'mend the line' })
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const reason = 'the file cannot be read'
    throw new BuilderError('NOT_FOUND', {
      operation: 'run-image --env-file',
      object: path,
      reason,
      hint: 'check its name',
      cause,
    })
  }
}

/** `-v /data` alone is a volume like those of the image. */
function volumesOf(given: readonly string[]): [anonymous: readonly string[], binds: readonly string[]] {
  const isAlone = (text: string) => text.startsWith('/') && !text.includes(':')
  return [given.filter(isAlone).map((text) => insidePath(text, text)), given.filter((text) => !isAlone(text))]
}

/** A device that is given by name is there already. */
function devicesBeside(given: readonly string[]): readonly MountRequest[] {
  const named = new Set(given.map((text) => parseDevice(text).destination))
  return hostDevices()
    .usable.filter((path) => !named.has(posix.normalize(path)))
    .map((path) => ({ type: 'bind', source: path, destination: path }))
}

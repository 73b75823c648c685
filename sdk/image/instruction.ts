import { BuilderError } from '../errors.js'
import { emptyConfig } from './config.js'
import { type ConfigEdits, editConfig } from './edit.js'
import { hostPlatform } from './platform.js'
import { splitWords } from './words.js'

/**
 * Reads Containerfile lines that change an image's configuration and gives the same changes as edits. Names and forms:
 * Dockerfile reference, the instructions of the same names. Throws `USAGE` for any other instruction.
 */
export function changesToEdits(lines: readonly string[]): ConfigEdits {
  return lines.reduce<ConfigEdits>((edits, line) => merge(edits, checkedEdit(line)), {})
}

/** What is wrong is said of the line, not of the flag of `config` that says the same. */
function checkedEdit(line: string): ConfigEdits {
  const edits = editOf(line)
  try {
    editConfig(emptyConfig(hostPlatform()), edits)
  } catch (error) {
    if (!(error instanceof BuilderError)) throw error
    const { reason, hint, object } = error
    throw new BuilderError(error.code, {
      operation: 'commit --change',
      object: JSON.stringify(line),
      reason: `${object}: ${reason}`,
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    })
  }
  return edits
}

function editOf(line: string): ConfigEdits {
  const [, word = '', rest = ''] = /^\s*(\S+)\s*([\s\S]*?)\s*$/.exec(line) ?? []
  const read = instructions[word.toUpperCase()]
  if (read && rest !== '') return read(rest)
  throw new BuilderError('USAGE', {
    operation: 'commit --change',
    object: JSON.stringify(line),
    reason: read ? 'it says nothing' : 'it is not an instruction that changes the configuration',
    hint: `write one of ${Object.keys(instructions).join(', ')} and its value`,
  })
}

const instructions: Readonly<Record<string, (rest: string) => ConfigEdits>> = {
  CMD: (rest) => ({ cmd: command(rest) }),
  ENTRYPOINT: (rest) => ({ entrypoint: command(rest) }),
  ENV: (rest) => ({ env: pairs(rest) }),
  EXPOSE: (rest) => ({ port: splitWords(rest) }),
  LABEL: (rest) => ({ label: pairs(rest) }),
  ONBUILD: (rest) => ({ onbuild: [rest] }),
  STOPSIGNAL: (rest) => ({ stopSignal: rest }),
  USER: (rest) => ({ user: rest }),
  VOLUME: (rest) => ({ volume: list(rest) ?? splitWords(rest) }),
  WORKDIR: (rest) => ({ workingdir: rest }),
}

function command(rest: string): readonly string[] {
  return list(rest) ?? ['/bin/sh', '-c', rest]
}

function list(rest: string): readonly string[] | undefined {
  if (!rest.startsWith('[')) return undefined
  try {
    const value: unknown = JSON.parse(rest)
    return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : undefined
  } catch {
    return undefined
  }
}

/** `a=1 b="2 3"`, or the old form `a 1`. */
function pairs(rest: string): readonly string[] {
  const words = splitWords(rest)
  if (words[0]?.includes('=')) return words
  const [name = '', ...value] = words
  return [`${name}=${value.join(' ')}`]
}

function merge(a: ConfigEdits, b: ConfigEdits): ConfigEdits {
  const joined = Object.entries(b).map(([key, value]) => {
    const before = a[key as keyof ConfigEdits]
    const lists = Array.isArray(before) && Array.isArray(value) && !['cmd', 'entrypoint'].includes(key)
    return [key, lists ? [...before, ...value] : value]
  })
  return { ...a, ...Object.fromEntries(joined) }
}

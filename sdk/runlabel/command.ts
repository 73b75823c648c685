import { posix } from 'node:path'
import { BuilderError } from '../errors.js'
import { readEngineLine } from './engine-line.js'
import type { Judgeable } from './judge.js'
import { type RunFlags, runFlags } from './run-flags.js'
import { isRunLine, parseRunLine, type RunLine } from './run-line.js'
import { visible } from './show.js'
import type { Word } from './substitute.js'

/** Who executes what a label asks podman, docker or builder for. */
export type Engine = 'builder' | 'podman' | 'docker'

/** What a label's command is built from. */
export interface CommandSources {
  readonly words: readonly Word[]
  /** The caller's own words, behind the label's. */
  readonly args: readonly string[]
  readonly engine: Engine
  /** The image as the words call it, and as it is called so that nothing else can be meant. */
  readonly image: { readonly name: string; readonly pinned: string }
  readonly replace: boolean
}

/** A command, ready to be judged and executed. */
export interface LabelCommand {
  readonly judgeable: Judgeable
  /** Who executes it. `program`: it is executed itself. */
  readonly engine: Engine | 'program'
  /** The words behind the engine's own program; for a program all words. */
  readonly words: readonly string[]
  /** Which of `words` is an image that is not the label's own: its digest is not known yet. */
  readonly otherImageAt?: number
}

/**
 * Makes a command of a label's words: for podman, docker and builder the image is pinned, and no value becomes a flag.
 *
 * Throws `INVALID` and `UNSUPPORTED` for a line that the engine cannot carry out, `UNSAFE` for a value that would be read as a flag.
 */
export function labelCommand(sources: CommandSources): LabelCommand {
  const { args, engine } = sources
  const words = [...sources.words.map(({ text }) => text), ...args]
  const [first = ''] = words
  if (args.some((word) => word.includes('\0')))
    throw invalid('', 'a word holds a NUL byte', 'no command line can hold one')
  if (sources.words.length === 0) throw invalid('', 'it has no words', 'give the label a command')
  if (first === '') throw invalid('', 'its first word is empty', 'begin with a program')
  if (/^[A-Za-z_]\w*=/.test(first)) {
    const hint = `begin with env: env ${first} …`
    throw invalid(visible(first), 'it begins with a variable, which a shell would set', hint)
  }
  if (!['podman', 'docker', 'builder'].includes(posix.basename(first))) return program(sources, words)
  const own = { ...sources, engine: posix.basename(first) === 'builder' ? ('builder' as const) : engine }
  if (!isRunLine(words)) return engineCommand(own, words)
  return engine === 'builder' ? ownRun(sources, words) : engineRun({ ...sources, engine }, words)
}

function program(sources: CommandSources, words: readonly string[]): LabelCommand {
  checkDashes(sources.words, undefined)
  if (sources.replace) throw noContainer()
  const [name = ''] = words
  return { judgeable: { kind: 'program', program: name }, engine: 'program', words }
}

/** `podman rm NAME` and the like. */
function engineCommand({ words: own, engine, replace }: CommandSources, words: readonly string[]): LabelCommand {
  checkDashes(own, undefined)
  const [name = '', subcommand = '', ...rest] = words
  if (replace) throw noContainer()
  if (subcommand === '' || subcommand.startsWith('-')) {
    const hint = `have the label begin with ${posix.basename(name)} run`
    throw invalid(visible(subcommand), 'it is no command that can be judged', hint)
  }
  if (words.slice(1, 3).includes('runlabel')) {
    const reason = 'what one label asks for is no answer to what another one does'
    throw unsupported('runlabel', reason, 'execute that label by itself')
  }
  if (engine === 'builder') checkOwn(posix.basename(name), subcommand)
  return { judgeable: { kind: 'engine-command', engine, words: [subcommand, ...rest] }, engine, words: words.slice(1) }
}

/** Of podman's commands beside run, those that builder has by the same name and meaning. */
function checkOwn(name: string, subcommand: string): void {
  if (name === 'builder' || ownCommands.has(subcommand)) return
  throw new BuilderError('UNSUPPORTED', {
    operation: 'runlabel',
    object: `${name} ${visible(subcommand)}`,
    reason: 'builder does not have this command',
    hint: 'have podman itself execute it with --engine podman',
  })
}

const ownCommands = new Set([
  'images',
  'inspect',
  'logs',
  'pull',
  'push',
  'rm',
  'rmi',
  'stop',
  'tag',
  'untag',
  'version',
])

/** Only what was read is executed: the words are written anew from it. */
function ownRun(sources: CommandSources, words: readonly string[]): LabelCommand {
  const line = readLine(sources, () => parseRunLine(words))
  checkDashes(sources.words, line.imageAt)
  const { image, isOther } = pin(sources, line.image)
  const options = replacing(sources, line)
  const flags = ['--pull=never', ...formatFlags(options)]
  const at = 1 + flags.length + 1
  return {
    engine: 'builder',
    judgeable: { kind: 'run', engine: 'builder', options, others: [], ...(isOther ? { otherImage: image } : {}) },
    words: ['run-image', ...flags, '--', image, ...line.command],
    ...(isOther ? { otherImageAt: at } : {}),
  }
}

function engineRun(sources: CommandSources, words: readonly string[]): LabelCommand {
  const { engine } = sources
  const spelt = [engine, words[1] === 'run-image' ? 'run' : (words[1] ?? ''), ...words.slice(2)]
  const read = readLine(sources, () => readEngineLine(spelt))
  checkDashes(sources.words, read.givenImageAt)
  const { image, isOther } = pin(sources, read.line.image)
  const { judgeable, flag } = judgeableRun(sources, read.line, read.others, isOther ? image : undefined)
  const start = read.words[1] === 'run' ? 2 : 3
  const pinned = read.words.with(read.imageAt, image)
  return { engine, judgeable, words: [...pinned.slice(1, start), ...flag, ...pinned.slice(start)] }
}

/** Where a line cannot be read because a value became a flag of it, that is what is said. */
function readLine<Line>(sources: CommandSources, read: () => Line): Line {
  try {
    return read()
  } catch (error) {
    checkDashes(sources.words, undefined)
    throw error
  }
}

function judgeableRun(sources: CommandSources, line: RunLine, others: readonly string[], otherImage?: string) {
  const options = replacing(sources, line)
  const judgeable: Judgeable = {
    ...{ kind: 'run', engine: sources.engine, options, others },
    ...(otherImage === undefined ? {} : { otherImage }),
  }
  const isNew = options.replace && !line.options.replace
  if (isNew && sources.engine === 'docker') {
    const hint = 'use --engine podman, or remove the container first'
    throw unsupported('--replace', 'docker run has no such flag', hint)
  }
  return { judgeable, flag: isNew ? ['--replace'] : [] }
}

function pin({ image: { name, pinned } }: CommandSources, image: string) {
  const isOther = image !== name && image !== pinned
  return { image: isOther ? image : pinned, isOther }
}

function replacing({ replace }: CommandSources, { options }: RunLine): Readonly<RunFlags> {
  if (!replace) return options
  if (options.name === undefined) throw noContainer()
  return { ...options, replace: true }
}

/** The pull policy is not among them: the image is there, and is the one that was judged. */
function formatFlags(options: Readonly<RunFlags>): readonly string[] {
  return runFlags
    .filter(({ key }) => key !== 'pull')
    .flatMap(({ name, key }) => {
      const value = options[key]
      if (value === undefined) return []
      if (value === true) return [`--${name}`]
      return typeof value === 'object' ? value.map((one) => `--${name}=${one}`) : [`--${name}=${value}`]
    })
}

/** Behind the image, and behind `--`, a word is no flag of the engine's, whatever it begins with. */
function checkDashes(words: readonly Word[], imageAt: number | undefined): void {
  const end = words.findIndex(({ text, dashFrom }) => text === '--' && dashFrom === undefined)
  const last = imageAt ?? (end < 0 ? words.length : end)
  const found = words.slice(0, last).find(({ dashFrom }) => dashFrom !== undefined)
  if (!found) return
  throw new BuilderError('UNSAFE', {
    operation: 'read label',
    object: `$${found.dashFrom}`,
    reason: `its value ${visible(JSON.stringify(found.text))} would become a flag`,
    hint: 'write the flag itself into the label, as --name=$OPT1',
  })
}

function noContainer(): BuilderError {
  const hint = 'leave --replace out, or write --name NAME into the label'
  return unsupported('--replace', 'the label gives no container a name', hint)
}

function unsupported(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('UNSUPPORTED', { operation: 'runlabel', object, reason, hint })
}

function invalid(object: string, reason: string, hint: string): BuilderError {
  return new BuilderError('INVALID', { operation: 'read label', object, reason, hint })
}

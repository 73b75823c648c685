import { commandLine, jsonWords } from './command-line.js'
import { Flags } from './flags.js'
import { parseHealthcheck } from './healthcheck.js'
import { parsePlace } from './place.js'
import type {
  ArgInstruction,
  AssignInstruction,
  Assignment,
  CommandInstruction,
  FromInstruction,
  Instruction,
  ListInstruction,
  RunInstruction,
  ShellInstruction,
  ValueInstruction,
} from './syntax.js'
import { plainWords, quotedWords } from './words.js'
import { nothingGiven, type WrittenInstruction, writtenAt } from './written.js'

/** An instruction as the parser gives it. */
export type ParsedInstruction = FromInstruction | Instruction

/** What parses the arguments of each instruction. Throws `INVALID` with the place of what is wrong. */
export const parsers = {
  FROM: parseFrom,
  ARG: parseArg,
  RUN: parseRun,
  COPY: parsePlace,
  ADD: parsePlace,
  ENV: parseAssign,
  LABEL: parseAssign,
  CMD: parseCommand,
  ENTRYPOINT: parseCommand,
  SHELL: parseShell,
  HEALTHCHECK: parseHealthcheck,
  EXPOSE: parseList,
  VOLUME: parseList,
  USER: parseValue,
  WORKDIR: parseValue,
  STOPSIGNAL: parseValue,
  MAINTAINER: parseValue,
  ONBUILD: parseValue,
} satisfies Record<ParsedInstruction['instruction'], (written: WrittenInstruction) => ParsedInstruction>

/** The names of all instructions. */
export const instructionNames = Object.keys(parsers)

export function isInstruction(name: string): name is keyof typeof parsers {
  return Object.hasOwn(parsers, name)
}

/** `ONBUILD`: its trigger as one text, with the bodies of its heredocs below, as it stands in an image's config. */
export function onbuild(
  written: Omit<WrittenInstruction, 'marks' | 'heredocs'>,
  trigger: ParsedInstruction | undefined,
): ValueInstruction {
  const { line, rest } = written
  new Flags(line, 'ONBUILD', written.flags)
  if (!trigger) throw nothingGiven(written, 'an instruction')
  const name = trigger.instruction
  if (name === 'ONBUILD' || name === 'FROM' || name === 'MAINTAINER')
    throw line.wrong(rest, name.length, `${name} cannot be a trigger of ONBUILD`)
  const bodies = 'heredocs' in trigger ? trigger.heredocs.map((one) => `\n${one.content}${one.name}`) : []
  return { ...writtenAt(written), instruction: 'ONBUILD', value: line.text.slice(rest).trim() + bodies.join('') }
}

function parseFrom(written: WrittenInstruction): FromInstruction {
  const { line, rest } = written
  const platform = new Flags(line, 'FROM', written.flags, { platform: 'value' }).value('platform')
  const [image, as, name, more] = plainWords(line.text, rest)
  if (!image) throw nothingGiven(written, 'an image, or scratch')
  const form = 'FROM is written FROM IMAGE or FROM IMAGE AS NAME'
  if (as && as.text.toLowerCase() !== 'as')
    throw line.wrong(as.at, as.text.length, `${as.text} stands where AS belongs`, form)
  if (as && !name) throw line.wrong(as.at, 2, 'the name after AS is missing', form)
  if (more) throw line.wrong(more.at, more.text.length, `${more.text} is one word too many`, form)
  if (name && !/^[a-z][a-z0-9-_.]*$/i.test(name.text))
    throw line.wrong(name.at, name.text.length, `${name.text} cannot be the name of a stage`, stageNameHint)
  return {
    ...writtenAt(written),
    instruction: 'FROM',
    image: image.text,
    ...(platform === undefined ? {} : { platform }),
    ...(name ? { as: name.text } : {}),
  }
}

const stageNameHint = 'it begins with a letter and holds letters, digits, -, _ and .'

function parseArg(written: WrittenInstruction): ArgInstruction {
  const { line, rest } = written
  new Flags(line, 'ARG', written.flags)
  const words = quotedWords(line.text, rest, line.escapeChar)
  if (words.length === 0) throw nothingGiven(written, 'a name')
  const args = words.map(({ text, at }): Assignment => {
    const [name = '', value] = cut(text)
    if (name === '') throw line.wrong(at, text.length, 'the name in front of = is missing')
    return value === undefined ? { name } : { name, value }
  })
  return { ...writtenAt(written), instruction: 'ARG', args }
}

function parseAssign(written: WrittenInstruction): AssignInstruction {
  const { line, rest, name } = written
  new Flags(line, name, written.flags)
  const words = quotedWords(line.text, rest, line.escapeChar)
  if (words.length === 0) throw nothingGiven(written, 'NAME=VALUE')
  const instruction = name === 'LABEL' ? 'LABEL' : 'ENV'
  if (!words[0]?.text.includes('=')) return { ...writtenAt(written), instruction, pairs: [legacyPair(written)] }
  const pairs = words.map(({ text, at }) => {
    const [key = '', value] = cut(text)
    const hint = `write ${name} NAME=VALUE, with quotes around a value that has blanks`
    if (value === undefined) throw line.wrong(at, text.length, `there is no = in ${text}`, hint)
    if (key === '') throw line.wrong(at, text.length, 'the name in front of = is missing', hint)
    return { name: key, value }
  })
  return { ...writtenAt(written), instruction, pairs }
}

/** `ENV name the rest of the line`. */
function legacyPair(written: WrittenInstruction): Required<Assignment> {
  const { line, rest, name } = written
  const text = line.text.slice(rest).trim()
  const [, key = '', value] = /^(\S+)\s+(.*)$/s.exec(text) ?? []
  if (value !== undefined) return { name: key, value }
  throw line.wrong(rest, text.length, `${name} ${text} has no value`, `write ${name} ${text}=VALUE`)
}

function cut(text: string): readonly [string, string?] {
  const at = text.indexOf('=')
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function parseRun(written: WrittenInstruction): RunInstruction {
  const { line, rest, heredocs } = written
  const flags = new Flags(line, 'RUN', written.flags, runFlags)
  const network = flags.oneOf('network', ['default', 'none', 'host'])
  const security = flags.oneOf('security', ['sandbox', 'insecure'])
  const device = flags.values('device')
  const command = commandLine(line, rest)
  if (command.form === 'exec' ? command.words.length === 0 : command.line === '')
    throw nothingGiven(written, 'a command')
  return {
    ...writtenAt(written),
    instruction: 'RUN',
    command,
    heredocs,
    mounts: flags.values('mount'),
    ...(network === undefined ? {} : { network }),
    ...(security === undefined ? {} : { security }),
    ...(device.length > 0 ? { device } : {}),
  }
}

const runFlags = { mount: 'values', network: 'value', security: 'value', device: 'values' } as const

function parseCommand(written: WrittenInstruction): CommandInstruction {
  const { line, rest, name } = written
  new Flags(line, name, written.flags)
  const command = commandLine(line, rest)
  if (command.form === 'shell' && command.line === '') throw nothingGiven(written, 'a command, or [] for none')
  return { ...writtenAt(written), instruction: name === 'CMD' ? 'CMD' : 'ENTRYPOINT', command }
}

function parseShell(written: WrittenInstruction): ShellInstruction {
  const { line, rest } = written
  new Flags(line, 'SHELL', written.flags)
  const text = line.text.slice(rest).trim()
  const words = jsonWords(line, rest)
  const hint = 'write SHELL ["/bin/sh", "-c"]'
  if (text === '' || words?.length === 0) throw nothingGiven(written, 'an array', hint)
  if (!words) throw line.wrong(rest, text.length, 'SHELL takes only an array in JSON', hint)
  return { ...writtenAt(written), instruction: 'SHELL', words }
}

function parseList(written: WrittenInstruction): ListInstruction {
  const { line, rest, name } = written
  new Flags(line, name, written.flags)
  const instruction = name === 'EXPOSE' ? 'EXPOSE' : 'VOLUME'
  const plain = plainWords(line.text, rest).map(({ text }) => text)
  const values = (instruction === 'VOLUME' && jsonWords(line, rest)) || plain
  if (values.length === 0) throw nothingGiven(written, instruction === 'VOLUME' ? 'a path' : 'a port')
  if (instruction === 'EXPOSE') return { ...writtenAt(written), instruction, values }
  const paths = values.map((path) => path.trim())
  if (paths.includes('')) throw line.wrong(rest, line.text.length - rest, 'the path of a volume cannot be empty')
  return { ...writtenAt(written), instruction, values: paths }
}

function parseValue(written: WrittenInstruction): ValueInstruction {
  const { line, rest, name } = written
  new Flags(line, name, written.flags)
  const value = line.text.slice(rest).trim()
  const instruction = name as ValueInstruction['instruction']
  if (value === '') throw nothingGiven(written, valueNames[instruction])
  return { ...writtenAt(written), instruction, value }
}

const valueNames: Readonly<Record<ValueInstruction['instruction'], string>> = {
  USER: 'a user',
  WORKDIR: 'a path',
  STOPSIGNAL: 'a signal',
  MAINTAINER: 'a name',
  ONBUILD: 'an instruction',
}

import { jsonWords } from './command-line.js'
import { type FlagKind, Flags } from './flags.js'
import type { PlaceInstruction } from './syntax.js'
import { plainWords, type Word } from './words.js'
import { nothingGiven, type WrittenInstruction, writtenAt } from './written.js'

/** Parses `COPY` and `ADD`. */
export function parsePlace(written: WrittenInstruction): PlaceInstruction {
  const { line, name, heredocs } = written
  const instruction = name === 'ADD' ? 'ADD' : 'COPY'
  if (instruction === 'ADD') refuseFrom(written)
  const flags = new Flags(line, name, written.flags, knownFlags[instruction])
  const words = placeWords(written)
  const destination = words.at(-1)
  if (!destination) throw nothingGiven(written, 'a source and a destination')
  if (destination.text.startsWith('<<'))
    throw line.wrong(destination.at, destination.text.length, `the destination of ${name} cannot be a heredoc`)
  if (words.length === 1)
    throw line.wrong(
      destination.at,
      destination.text.length,
      `${name} has one argument`,
      `write ${name} SOURCE … DESTINATION`,
    )
  const exclude = flags.values('exclude')
  return {
    ...writtenAt(written),
    instruction,
    sources: words.slice(0, -1).map(({ text }) => text),
    destination: destination.text,
    heredocs,
    ...given('from', flags.value('from')),
    ...given('chown', flags.value('chown')),
    ...given('chmod', flags.value('chmod')),
    ...given('link', flags.isOn('link')),
    ...given('parents', flags.isOn('parents')),
    ...given('exclude', exclude.length > 0 ? exclude : undefined),
    ...given('checksum', flags.value('checksum')),
    ...given('keepGitDir', flags.isOn('keep-git-dir')),
    ...given('unpack', flags.isOn('unpack')),
  }
}

const shared = { chown: 'value', chmod: 'value', link: 'switch', exclude: 'values' } as const

const knownFlags: Readonly<Record<'COPY' | 'ADD', Readonly<Record<string, FlagKind>>>> = {
  COPY: { from: 'value', ...shared, parents: 'switch' },
  ADD: { ...shared, checksum: 'value', 'keep-git-dir': 'switch', unpack: 'switch' },
}

function refuseFrom({ line, flags }: WrittenInstruction): void {
  const from = flags.find(({ text }) => text.startsWith('--from='))
  if (from) throw line.wrong(from.at, '--from'.length, 'ADD has no flag --from', 'COPY has it')
}

/** The arguments, with `<<NAME` for each heredoc. */
function placeWords(written: WrittenInstruction): readonly Word[] {
  const { line, rest, marks } = written
  const strings = jsonWords(line, rest)
  if (strings) return strings.map((text) => ({ text, at: rest }))
  const words = plainWords(line.text, rest)
  return words.map((word) => {
    const mark = marks.find(({ at }) => at === word.at)
    if (mark && mark.length === word.text.length) return { text: `<<${mark.name}`, at: word.at }
    if (!word.text.startsWith('<<')) return word
    throw line.wrong(
      word.at,
      word.text.length,
      `${word.text} is not the mark of a heredoc`,
      'write <<NAME, without blanks in it',
    )
  })
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]?: Value })
}

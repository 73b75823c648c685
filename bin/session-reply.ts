import { quoteWord } from '../sdk/image/words.js'
import type { Program } from '../sdk/namespace/caller.js'
import type { Answer } from './write-out.js'

/**
 * What a session's engine writes to a launcher, which knows these first lines:
 *
 * - `CODE -`: nothing is printed
 * - `CODE = TEXT`: the text and a line end go to standard output
 * - `0 ! COMMAND`: a line of shell to evaluate; it ends the launcher or makes it another program
 * - `0 +`: shell text follows, to the end mark
 * - `0 cold`: the launcher starts builder itself
 */
export function replyOf({ stdout, stderr, exitCode }: Answer): string {
  if (stderr === '' && stdout === '') return `${exitCode} -\n`
  if (stderr === '' && isShortLine(stdout)) return `${exitCode} = ${stdout}`
  return script(`${printed(stderr, ' >&2')}${printed(stdout, ' || unwritten')}exit ${exitCode}\n`)
}

/** Makes the launcher a program. `environ` is what the launcher has now. With `keeps` its FIFO stays open. */
export function becoming(program: Program, environ: Readonly<Record<string, string>>, keeps: boolean): string {
  const { settings, words } = command(program, environ)
  const open = keeps ? '5<&- 6<&-' : '5<&- 6<&- 8<&-'
  const codes = program.validExitCodes ?? []
  const line =
    codes.length === 0
      ? `${settings}exec ${words} ${open}`
      : `${settings}${words} ${open}; case $? in 0|${codes.map(quoteWord).join('|')}) exit 0 ;; *) exit $? ;; esac`
  return isShortLine(`${line}\n`) ? `0 ! ${line}\n` : script(`${line}\n`)
}

/** What is printed is quoted in pieces, for the launcher's shell holds each in memory twice. */
function printed(text: string, where: string): string {
  const pieces = text.match(/.{1,65536}/gs) ?? []
  return pieces.map((piece) => `printf %s ${quoteWord(piece)}${where}\n`).join('')
}

function script(text: string): string {
  return `0 +\n${text}${endMark}\n`
}

/** bin/builder looks for it: an answer without it was cut off. */
const endMark = '#end'

/** The launcher reads its first line byte by byte: a long one is faster read by cat. */
function isShortLine(text: string): boolean {
  return text.length <= 1000 && /^[^\s]([^\n\0]*[^\s])?\n$/.test(text)
}

/** A program that has all the caller's variables is started as it is, with what is new; another one from nothing. */
function command({ argv, env }: Program, environ: Readonly<Record<string, string>>) {
  const words = argv.map(quoteWord).join(' ')
  const isMore = Object.keys(environ).every((name) => env[name] !== undefined)
  const pairs = Object.entries(env).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && (!isMore || environ[pair[0]] !== pair[1]),
  )
  if (!isMore) {
    return {
      settings: '',
      words: `env -i ${pairs.map(([name, value]) => quoteWord(`${name}=${value}`)).join(' ')} ${words}`,
    }
  }
  return { settings: pairs.map(([name, value]) => `export ${name}=${quoteWord(value)}; `).join(''), words }
}

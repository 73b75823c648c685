import { commandLine } from './command-line.js'
import { Flags } from './flags.js'
import type { HealthcheckInstruction } from './syntax.js'
import { nothingGiven, type WrittenInstruction, writtenAt } from './written.js'

/** Parses `HEALTHCHECK`. Times are as Go writes them (`1m30s`). Source: Dockerfile reference, "HEALTHCHECK". */
export function parseHealthcheck(written: WrittenInstruction): HealthcheckInstruction {
  const { line, rest } = written
  const flags = new Flags(line, 'HEALTHCHECK', written.flags, knownFlags)
  for (const name of ['interval', 'timeout', 'start-period', 'start-interval']) checkTime(flags, name)
  const retries = flags.value('retries')
  if (retries !== undefined && !/^\+?\d{1,9}$/.test(retries))
    throw flags.wrong('retries', `--retries is a whole number from 0, not ${retries}`)
  const type = /^\S*/.exec(line.text.slice(rest))?.[0] ?? ''
  if (type === '') throw nothingGiven(written, 'CMD and a command, or NONE')
  const after = line.text.slice(rest + type.length).trim()
  if (type.toUpperCase() === 'NONE') {
    if (after !== '') throw line.wrong(rest, type.length, 'HEALTHCHECK NONE takes no arguments')
    return { ...writtenAt(written), instruction: 'HEALTHCHECK' }
  }
  if (type.toUpperCase() !== 'CMD')
    throw line.wrong(
      rest,
      type.length,
      `HEALTHCHECK does not know ${type}`,
      'write HEALTHCHECK CMD COMMAND or HEALTHCHECK NONE',
    )
  const command = commandLine(line, rest + type.length)
  if (command.form === 'exec' ? command.words.length === 0 : command.line === '')
    throw line.wrong(rest, type.length, 'the command after HEALTHCHECK CMD is missing')
  return { ...writtenAt(written), instruction: 'HEALTHCHECK', command, ...options(flags, retries) }
}

const knownFlags = {
  interval: 'value',
  timeout: 'value',
  'start-period': 'value',
  'start-interval': 'value',
  retries: 'value',
} as const

function options(flags: Flags, retries: string | undefined) {
  const times = {
    interval: flags.value('interval'),
    timeout: flags.value('timeout'),
    startPeriod: flags.value('start-period'),
    startInterval: flags.value('start-interval'),
    retries,
  }
  return Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined))
}

function checkTime(flags: Flags, name: string): void {
  const time = flags.value(name)
  if (time === undefined) return
  const isTime = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.test(time)
  if (!isTime) throw flags.wrong(name, `--${name}=${time} is not a time`, 'write it as 30s, 1m30s or 500ms')
  if (time.startsWith('-') || (!/^\+?[0.]+[a-zµμ]*$/.test(time) && isShort(time)))
    throw flags.wrong(name, `--${name}=${time} is less than a millisecond`)
}

function isShort(time: string): boolean {
  const milliseconds = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 }
  const parts = [...time.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)]
  const sum = parts.reduce((all, [, count, unit]) => all + Number(count) * milliseconds[unit as 'ms'], 0)
  return sum > 0 && sum < 1
}

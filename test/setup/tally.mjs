// Counts what the lanes report, and says it: a line for each room of a lane, failures in full at the end.
import { relative, sep } from 'node:path'

export class Tally {
  passed = 0
  skipped = 0
  /** True when the rest of the run is not to be started. */
  stopped = false
  /** @type {{ title: string, text: string }[]} */
  failures = []
  /** @type {Map<string, number>} reason -> how often */
  skips = new Map()

  /** A check that is not a test of node:test: a package that is missing, a lane that could not run. */
  check(title, problem) {
    if (problem) this.fail(title, problem)
    else this.passed++
  }

  fail(title, text) {
    this.failures.push({ title, text })
    console.log(`  ✗ ${title}`)
  }

  /** Ends the run early; what it counted until then is still said. */
  stop(title, reason) {
    this.stopped = true
    this.fail(title, `stopped: ${reason}`)
  }

  skip(reason) {
    this.skipped++
    this.skips.set(reason, (this.skips.get(reason) ?? 0) + 1)
  }

  /** Reads one lane's report, a stream of lines; `base` is the folder that its test files are in. */
  async read(lane, base, lines) {
    const rooms = new Map()
    const output = new Map()
    for await (const text of lines) {
      const event = parse(text)
      if (!event) continue
      if (event.kind === 'output') output.set(event.file, `${output.get(event.file) ?? ''}${event.text}`)
      else this.#count(lane, base, event, rooms, output)
    }
    for (const [room, { passed, ms }] of rooms) console.log(`  ${room.padEnd(16)}${passed} passed, ${seconds(ms)}`)
  }

  #count(lane, base, event, rooms, output) {
    if (event.suite && event.failureType !== 'hookFailed') return
    const file = relative(base, event.file)
    const title = event.isFile ? `${lane} ${file}` : `${lane} ${file}: ${event.name}`
    const room = rooms.get(file.split(sep)[0]) ?? { passed: 0, ms: 0 }
    rooms.set(file.split(sep)[0], room)
    if (event.nesting === 0) room.ms += event.ms
    if (event.skip !== undefined) this.skip(event.skip || 'no reason given')
    else if (event.todo) this.skip('todo')
    else if (event.passed && !event.isFile) {
      this.passed++
      room.passed++
    } else if (event.passed) this.fail(title, 'no test ran in this file')
    else if (event.failureType !== 'subtestsFailed')
      this.fail(title, [event.error, tail(output.get(event.file))].filter(Boolean).join('\n'))
  }

  /** Prints the failures and, last, the line that counts; gives the exit code. */
  finish() {
    for (const { title, text } of this.failures) console.log(`\n✗ ${title}\n${text.replace(/^/gm, '    ')}`)
    if (this.skips.size > 0) console.log('\nskipped:')
    for (const [reason, times] of this.skips) console.log(`  ${times} × ${reason}`)
    const counts = [`${this.passed} passed`, `${this.failures.length} failed`]
    if (this.skipped > 0) counts.push(`${this.skipped} skipped`)
    console.log(`\n${counts.join(', ')}`)
    return this.failures.length > 0 || this.passed === 0 ? 1 : 0
  }
}

function parse(text) {
  if (!text.startsWith('{"kind":')) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function tail(text = '') {
  return text === '' ? '' : `output of the file:\n${text.trimEnd().split('\n').slice(-40).join('\n')}`
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}

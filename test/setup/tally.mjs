// Counts what the lanes report, and says it: a line for each room of a lane, failures in full at the end.
import { relative, sep } from 'node:path'

export class Tally {
  passed = 0
  skipped = 0
  /** True when the rest of the run is not to be started. */
  stopped = false
  /** @type {{ title: string, text: string, file?: string }[]} `file` is one of a batch that may run again */
  failures = []
  /** @type {{ title: string, text: string }[]} what failed once, and passed alone */
  unsteady = []
  #isAgain = false
  /** @type {Map<string, number>} reason -> how often */
  skips = new Map()

  /** A check that is not a test of node:test: a package that is missing, a lane that could not run. */
  check(title, problem) {
    if (problem) this.fail(title, problem)
    else this.passed++
  }

  fail(title, text, file) {
    // A test that another file's function declares stands there under that file, which has none of its own.
    this.failures.push({ title, text, ...(file?.endsWith('.test.js') && { file }) })
    console.log(this.#isAgain ? `  ✗ ${title}, again` : `  ✗ ${title}`)
  }

  /** The files of the lane's last batch that had failures. */
  failedFiles() {
    return [...new Set(this.failures.flatMap(({ file }) => file ?? []))]
  }

  /** For a second run of them, whose tests are not counted twice. */
  again() {
    const again = new Tally()
    again.#isAgain = true
    return again
  }

  /** Takes in how the second run went. */
  settle(again) {
    const still = new Set(again.stopped ? this.failedFiles() : again.failedFiles())
    const passed = this.failures.filter(({ file }) => file && !still.has(file))
    for (const { title } of passed) console.log(`  ~ ${title}: passed when it ran again alone`)
    this.unsteady.push(...passed)
    const others = again.failures.filter(({ file }) => file === undefined)
    const rest = this.failures.filter((failure) => !passed.includes(failure))
    this.failures = [...rest, ...others].map(({ title, text }) => ({ title, text }))
    this.stopped ||= again.stopped
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
    if (this.#isAgain) return
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
    } else if (event.passed) this.fail(title, 'no test ran in this file', file)
    else if (event.failureType !== 'subtestsFailed')
      this.fail(title, [event.error, tail(output.get(event.file))].filter(Boolean).join('\n'), file)
  }

  /** Prints the failures and, last, the line that counts; gives the exit code. */
  finish() {
    for (const { title, text } of this.unsteady)
      console.log(`\n~ ${title}: failed once, passed alone\n${text.replace(/^/gm, '    ')}`)
    for (const { title, text } of this.failures) console.log(`\n✗ ${title}\n${text.replace(/^/gm, '    ')}`)
    if (this.skips.size > 0) console.log('\nskipped:')
    for (const [reason, times] of this.skips) console.log(`  ${times} × ${reason}`)
    const counts = [`${this.passed} passed`, `${this.failures.length} failed`]
    if (this.unsteady.length > 0) counts.push(`${this.unsteady.length} unsteady`)
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

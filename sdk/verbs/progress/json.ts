import type { Caller } from '../../namespace/caller.js'
import type { Display } from './event.js'

/** One event a line, as JSON. */
export function jsonDisplay(caller: Caller): Display {
  return {
    note: (event) => caller.say(`${JSON.stringify(event)}\n`),
    [Symbol.dispose]() {},
  }
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder } from '../lane.js'

// What this machine says of registries must not decide.
process.env.CONTAINERS_REGISTRIES_CONF = '/dev/null'

/** Words of a command line, and what a user reads when it is refused. */
export type Refusals = readonly (readonly [words: readonly string[], says: RegExp])[]

/** One test a command line: exit code 125, nothing on stdout, one sentence on stderr. */
export function refuses(rows: Refusals): void {
  for (const [words, says] of rows)
    test(`refuses ${words.map((word) => word || "''").join(' ')}`, async () => {
      const { stdout, stderr, code } = await builder(words)
      assert.match(stderr, says)
      assert.deepEqual({ stdout, code }, { stdout: '', code: 125 }, stderr)
    })
}

/** Runs a command line that has to succeed, and gives what it printed without the last newline. */
export async function said(...words: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await builder(words)
  assert.equal(code, 0, stderr)
  return stdout.replace(/\n$/, '')
}

import assert from 'node:assert/strict'
import { basename, join } from 'node:path'
import type { TestContext } from 'node:test'
import { quoteWord, splitWords } from '../../sdk/image/words.js'
import { inSession } from '../bin/in-session.js'
import { builder, tempDir } from '../lane.js'
import { environment, imageName, type LabelCase } from './labels.js'

/** What builder made of a case: words, or a message. */
export interface Shown {
  readonly argv?: readonly string[]
  readonly message?: string
}

/** A store whose image has each case's label as case-0, case-1 …. */
export async function imageWith(t: TestContext, cases: readonly LabelCase[]): Promise<string> {
  const store = tempDir(t)
  const flags = cases.flatMap(({ label }, i) => ['--label', `case-${i}=${label}`])
  for (const words of [
    ['from', '--name', 'c', 'scratch'],
    ['config', ...flags, 'c'],
    ['commit', '--rm', 'c', imageName],
  ]) {
    const { code, stderr } = await builder(words, { store })
    assert.equal(code, 0, stderr)
  }
  return store
}

/** The words of `runlabel` for a case, without builder's or podman's own. */
export function wordsFor({ flags = [], args = [] }: LabelCase, i: number): readonly string[] {
  return ['--display', ...flags, `case-${i}`, imageName, ...(args.length > 0 ? ['--', ...args] : [])]
}

/** All cases through one session, so that each costs milliseconds. */
export async function showAll(t: TestContext, store: string, cases: readonly LabelCase[]): Promise<readonly Shown[]> {
  const cwd = tempDir(t)
  const lines = cases.map((one, i) => {
    const words = ['runlabel', '--engine', 'podman', ...wordsFor(one, i)].map(quoteWord).join(' ')
    return `$B ${words} >out.${i} 2>err.${i}; echo $? >code.${i}`
  })
  const config = { XDG_CONFIG_HOME: join(cwd, 'config') }
  const print = `i=0; while [ $i -lt ${cases.length} ]; do cat code.$i out.$i err.$i; printf '\\036'; i=$((i+1)); done`
  const script = [...lines, print].join('\n')
  const ran = await inSession(t, script, { store, cwd, env: { ...environment, ...config } })
  assert.equal(ran.code, 0, ran.stderr)
  return ran.stdout
    .split('\x1e')
    .slice(0, -1)
    .map((text) => shownIn(text, cwd))
}

function shownIn(text: string, cwd: string): Shown {
  const [code = '', ...rest] = text.split('\n')
  const said = rest.join('\n')
  if (code !== '0') return { message: said }
  const [program = '', ...words] = splitWords(said)
  const named = words.map((word) =>
    word.replace(/^localhost\/site\/tools@sha256:[0-9a-f]{64}$/, '@IMAGE@').replace(cwd, '@PWD@'),
  )
  return { argv: [basename(program), ...named] }
}

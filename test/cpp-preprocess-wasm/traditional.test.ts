import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { preprocess } from '../../sdk/cpp-preprocess-wasm/index.js'
import { command, needs, tempDir } from '../lane.js'
import { corpus, files, type Input } from './corpus.js'
import { randomInputs } from './random-input.js'

for (const lineMarkers of [false, true]) {
  const how = lineMarkers ? 'with line markers' : 'with -P'
  test(`the corpus comes out as GNU cpp writes it, ${how}`, async (t) => {
    if (!needs(t, 'cpp')) return
    const inputs = corpus()
    assert.ok(inputs.length >= 300, `${inputs.length}`)
    assert.deepEqual(await differences(tempDir(t), inputs, lineMarkers), [])
  })

  test(`random inputs that GNU cpp accepts come out as it writes them, ${how}`, async (t) => {
    if (!needs(t, 'cpp')) return
    const inputs = randomInputs(lineMarkers ? 8 : 11, 80).map((text) => ({ text }))
    assert.deepEqual(await differences(tempDir(t), inputs, lineMarkers, true), [])
  })
}

/** Every input where the text, or whether there was an error, is another. */
async function differences(
  folder: string,
  inputs: readonly Input[],
  lineMarkers: boolean,
  onlyGood = false,
): Promise<unknown[]> {
  const theirs = await gnu(folder, inputs, lineMarkers)
  return inputs.flatMap((input, n) => {
    const { text, failed } = ours(input, n, lineMarkers)
    const wanted = theirs[n]
    if (wanted === undefined || (onlyGood && wanted.failed)) return []
    if (wanted.text === text && wanted.failed === failed) return []
    return [{ input, ours: { text, failed }, theirs: wanted }]
  })
}

/** -nostdinc: what the C library's stdc-predef.h defines is no part of cpp. */
async function gnu(folder: string, inputs: readonly Input[], lineMarkers: boolean) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  for (const [n, { text }] of inputs.entries()) writeFileSync(join(folder, `${n}.in`), text)
  const flags = `-E -traditional -undef -nostdinc -I. ${lineMarkers ? '' : '-P'}`
  const lines = inputs.map(({ defines = [] }, n) => {
    const words = defines.map((word) => `'-D${word}'`).join(' ')
    return `cpp ${flags} ${words} ${n}.in > ${n}.out 2> ${n}.err; echo $? > ${n}.code`
  })
  // On some inputs it never ends, or takes all memory.
  const input = `ulimit -t 2 -v 4000000\n${lines.join('\n')}\n`
  const { code, stderr } = await command(['sh'], { cwd: folder, input })
  assert.equal(code, 0, stderr)
  const result = (n: number, kind: string) => readFileSync(join(folder, `${n}.${kind}`), 'utf8')
  return inputs.map((_, n) => {
    // It has bugs of its own: then there is nothing to compare with.
    if (/internal compiler error|out of memory|egmentation/.test(result(n, 'err'))) return undefined
    return { text: result(n, 'out'), failed: result(n, 'code').trim() !== '0' }
  })
}

function ours({ text, defines = [] }: Input, n: number, lineMarkers: boolean) {
  const result = preprocess(text, {
    file: `${n}.in`,
    mode: 'traditional',
    lineMarkers,
    defines,
    include: (name, kind) => {
      const content = files[name]
      // As -I. writes it.
      return content === undefined ? undefined : { file: kind === 'angled' ? `./${name}` : name, text: content }
    },
  })
  return { text: result.text, failed: result.diagnostics.some(({ severity }) => severity === 'error') }
}

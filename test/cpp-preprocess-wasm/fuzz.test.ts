import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { preprocess } from '../../sdk/cpp-preprocess-wasm/index.js'
import { preprocessModule } from '../../sdk/cpp-preprocess-wasm/module.gen.js'
import { top } from '../lane.js'
import { files } from './corpus.js'
import { Random, randomInputs } from './random-input.js'

// `BUILDER_FUZZ_SECONDS=600 npm test -- preprocess-wasm/fuzz` looks longer, from another seed each time.
const seconds = Number(process.env.BUILDER_FUZZ_SECONDS ?? 3)
const seed = process.env.BUILDER_FUZZ_SECONDS ? Date.now() >>> 0 : 1
const limits = { input: 1 << 20, output: 1 << 20, expansions: 20_000, depth: 20 }

test('no input makes the preprocessor trap or hang', () => {
  const random = new Random(seed)
  const end = performance.now() + seconds * 1000
  for (let n = 0; n < 200 || performance.now() < end; n++) {
    const [text = ''] = randomInputs(seed + n, 1)
    for (const source of [text, broken(text, random)])
      for (const mode of ['containerfile', 'traditional'] as const) {
        const what = `seed ${seed + n}, ${mode}: ${JSON.stringify(String(source))}`
        const result = attempt(what, () => preprocess(source, { mode, limits, lineMarkers: n % 2 === 0, include }))
        // Every line has a place in a file that was read.
        const lines = result.text.split('\n').length - (result.text.endsWith('\n') || result.text === '' ? 1 : 0)
        assert.equal(result.map.lines, lines, what)
        if (lines > 0) assert.ok(result.files.includes(result.map.originOf(lines).file), what)
      }
  }
})

test('what has no directive and no macro comes out as it went in', () => {
  const words = [
    'RUN a',
    'FROM "b" AS c',
    '# x',
    "CMD ['d'",
    'COPY $e $\x7bf} /*',
    '',
    ' \\',
    'RUN g \\',
    '  h*/ `',
    '\t#i',
    '\\"\'',
  ]
  const random = new Random(seed)
  for (let n = 0; n < 2000; n++) {
    const text = Array.from({ length: 1 + random.below(12) }, () => random.of(words) + random.of(['\n', '\r\n'])).join(
      '',
    )
    assert.equal(preprocess(text).text, text)
  }
})

test('the module imports nothing, and the file beside it is the same one', async () => {
  const bytes = readFileSync(join(top, 'sdk/cpp-preprocess-wasm/cpp-preprocess.wasm'))
  assert.equal(preprocessModule.replace(/\s/g, ''), bytes.toString('base64'))
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Module: { new (bytes: Uint8Array): object; imports(module: object): unknown[] } }
  }
  assert.deepEqual(WebAssembly.Module.imports(new WebAssembly.Module(bytes)), [])
  assert.ok(bytes.length < 50_000, `${bytes.length}`)
})

function include(name: string) {
  const text = files[name]
  return text === undefined ? undefined : { file: name, text }
}

function attempt<Result>(what: string, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    throw new Error(what, { cause: error })
  }
}

/** Bytes changed, cut off, and repeated. */
function broken(text: string, random: Random): Uint8Array {
  const bytes = Buffer.from(text.repeat(1 + random.below(3)))
  for (let n = random.below(6); n > 0; n--)
    bytes[random.below(bytes.length)] = random.of([0, 9, 10, 13, 34, 35, 40, 41, 92, 200, 255])
  return bytes.subarray(0, 1 + random.below(bytes.length))
}

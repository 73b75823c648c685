import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'
import { GeneratorError } from './faults.js'

const folder = 'sdk/cpp-preprocess-wasm'

/**
 * The preprocessor of `sdk/cpp-preprocess-wasm/source/`, compiled to WebAssembly: as a source file, for a bundle, and as it is,
 * for those who run it without the wrapper. Empty where the folder is not.
 */
export async function preprocessOutput(
  top: string,
): Promise<readonly (readonly [path: string, content: string | Buffer])[]> {
  if (!existsSync(join(top, folder, 'source/module.as'))) return []
  const binary = await compiled(top)
  const text = `/** Generated from ${folder}/source/ by \`npm run generate\`. A WebAssembly module in base64. */
export const preprocessModule = \`
${(binary.toString('base64').match(/.{1,118}/g) ?? []).join('\n')}
\`
`
  return [
    [`${folder}/module.gen.ts`, text],
    [`${folder}/cpp-preprocess.wasm`, binary],
  ]
}

// No `abort`: the module imports nothing. What would call it traps.
const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--initialMemory', '4']

/** AssemblyScript insists on files that end in `.ts`; ours do not, for they are no TypeScript. */
async function compiled(top: string): Promise<Buffer> {
  let binary: Uint8Array | undefined
  const { error, stderr } = await asc.main(['module.ts', ...flags, '--outFile', 'module.wasm'], {
    readFile: (name) => {
      const file = join(top, folder, 'source', name.replace(/\.ts$/, '.as'))
      return existsSync(file) ? readFileSync(file, 'utf8') : null
    },
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = contents
    },
    listFiles: () => [],
  })
  if (error || !binary) throw new GeneratorError([`${folder}: ${error?.message ?? 'nothing came out'}`, `${stderr}`])
  return Buffer.from(binary)
}

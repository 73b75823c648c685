import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'
import { GeneratorError } from './faults.js'

const folder = 'sdk/layer/deflate'

/**
 * The compressor of `sdk/layer/deflate/`, compiled to WebAssembly, as a source file: a bundle and its threads need no other
 * file for it. Empty where the folder is not. The compiler's version is pinned, so everybody gets the same bytes.
 */
export async function deflateOutput(top: string): Promise<readonly (readonly [path: string, text: string])[]> {
  if (!existsSync(join(top, folder, 'block.as'))) return []
  const lines = (await compiled(top)).toString('base64').match(/.{1,118}/g) ?? []
  const text = `/** Generated from ${folder}/ by \`npm run generate\`. A WebAssembly module in base64. */
export const deflateModule = \`
${lines.join('\n')}
\`
`
  return [['sdk/layer/pinned-deflate.gen.ts', text]]
}

/** AssemblyScript insists on files that end in `.ts`; ours do not, for they are no TypeScript. */
async function compiled(top: string): Promise<Buffer> {
  let binary: Uint8Array | undefined
  const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--initialMemory', '48', '--maximumMemory', '48']
  const { error, stderr } = await asc.main(['block.ts', ...flags, '--outFile', 'block.wasm'], {
    readFile: (name) => {
      const file = join(top, folder, name.replace(/\.ts$/, '.as'))
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

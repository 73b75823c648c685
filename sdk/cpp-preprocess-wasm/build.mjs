// Makes dist/ for a package of its own: `npm pack -w cpp-preprocess-wasm`. The rest of the project takes the sources.
import { execFileSync } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const top = join(here, '../..')

rmSync(join(here, 'dist'), { recursive: true, force: true })
await build({
  absWorkingDir: here,
  entryPoints: ['index.ts'],
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  logLevel: 'warning',
})
execFileSync(join(top, 'node_modules/.bin/tsc'), ['-p', here], { stdio: 'inherit' })
copyFileSync(join(top, 'LICENSE'), join(here, 'dist/LICENSE'))

// Builds dist/: every TypeScript file as one JavaScript file (for the SDK and the tests), the SDK as bundles that share
// their parts, the command line as two bundles that start fast (bin/bundle.mjs), and with --types the declarations,
// with --generate what is generated from the verbs, with --check only whether that is up to date. Takes well under a second.
import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bundleCommandLine } from './bundle.mjs'

const top = dirname(dirname(fileURLToPath(import.meta.url)))
const wants = new Set(process.argv.slice(2))

if (wants.has('--clean')) rmSync(join(top, 'dist'), { recursive: true, force: true })
await transpile()
if (wants.has('--generate') || wants.has('--check')) {
  const check = wants.has('--check') ? ['--check'] : []
  execFileSync(process.execPath, [join(top, 'dist/bin/generate/main.js'), ...check], { stdio: 'inherit' })
  await transpile()
}
await bundle()
await bundleCommandLine(top)
if (wants.has('--types')) execFileSync(join(top, 'node_modules/.bin/tsc'), ['-p', top], { stdio: 'inherit' })

async function transpile() {
  await build({
    absWorkingDir: top,
    entryPoints: sources(),
    outdir: 'dist',
    outbase: '.',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    logLevel: 'warning',
  })
}

async function bundle() {
  rmSync(join(top, 'dist/cli'), { recursive: true, force: true })
  await build({
    absWorkingDir: top,
    entryPoints: {
      sdk: 'sdk/index.ts',
      'engine-main': 'sdk/door/engine-main.ts',
    },
    outdir: 'dist/cli',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['koffi', 'ts-morph', 'zx'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    chunkNames: '[name]-[hash]',
    sourcemap: false,
    logLevel: 'warning',
  })
  // A thread loads one file faster than many.
  await build({
    absWorkingDir: top,
    entryPoints: { 'unpack-thread': 'sdk/transport/unpack-thread.ts' },
    outdir: 'dist/cli',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['koffi'],
    logLevel: 'warning',
  })
}

function sources() {
  return ['sdk', 'bin', 'recipes', 'test'].flatMap((room) =>
    readdirSync(join(top, room), { recursive: true })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.includes('node_modules'))
      .map((file) => join(room, file)),
  )
}

// Bundles the command line for the cold start: dist/cli/metadata.cjs has the verbs that read and change metadata,
// dist/cli/main.cjs has all; dist/cli/engine.cjs is a session's engine. CommonJS, for Node's loader of ES modules costs several milliseconds. bin/start.cjs
// chooses among them and runs them as scripts whose compiled code can be kept.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { build } from 'esbuild'

const require = createRequire(import.meta.url)
const { metadataVerbs } = require('./start.cjs')

export async function bundleCommandLine(top) {
  await bundleGroup(top, 'main', 'bin/main.ts')
  await bundleGroup(top, 'metadata', 'bin/main.ts', [onlyMetadata])
  await bundleGroup(top, 'engine', 'bin/session-main.ts')
}

async function bundleGroup(top, name, entry, plugins = []) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: top,
    entryPoints: [entry],
    outfile: `dist/cli/${name}.cjs`,
    write: false,
    metafile: true,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    external: ['koffi', 'ts-morph', 'zx'],
    // Names stay, so that the stack of a bug can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    define: { 'import.meta.url': '__url' },
    plugins,
    logLevel: 'warning',
  })
  const { text } = outputFiles[0]
  const source = `(function(require,__filename){const __url=require('node:url').pathToFileURL(__filename).href;${text}})`
  // V8 tells code from other code by its length alone.
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 16)
  writeFileSync(join(top, `dist/cli/${name}.cjs`), `/*${hash}*/${source}\n`)
  // What a bundle is made of, for the test that watches it.
  mkdirSync(join(top, 'dist/bundles'), { recursive: true })
  writeFileSync(join(top, `dist/bundles/${name}.json`), JSON.stringify(metafile))
}

/** The other verbs' names, flags and help stay; bin/start.cjs does not come here to carry them out. */
const onlyMetadata = {
  name: 'only-metadata',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/sdk\/verbs\// }, ({ path, kind }) =>
      kind === 'dynamic-import' && !metadataVerbs.includes(basename(path, '.js'))
        ? { path, namespace: 'none' }
        : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'throw new Error("not in this bundle")' }))
  },
}

// `npm run bench`: measures beside the peers in one run and prints the table; with --write also into
// docs/performance.md. Words choose files: `npm run bench -- commit`.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installHostPackages, installModules } from '../../bin/setup.mjs'
import { testPackages } from '../setup/packages.mjs'

const top = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))

installModules(top)
installHostPackages(testPackages.filter(({ program }) => ['newuidmap', 'crun', 'buildah', 'skopeo'].includes(program)))
const built = spawnSync(process.execPath, [join(top, 'bin/build.mjs')], { stdio: 'inherit' })
if (built.status !== 0) process.exit(1)

const compiled = join(top, 'dist/test/bench')
const { table, putTable } = await import(join(compiled, 'table.js'))
const rows = []
for (const file of readdirSync(compiled).filter(isChosen).sort()) {
  console.error(`measuring ${basename(file, '.bench.js')}`)
  const { measure } = await import(join(compiled, file))
  rows.push(...(await measure()))
}
if (rows.length === 0) {
  console.error(`no benchmark${words.length > 0 ? ` with ${words.join(' or ')} in its name` : ''} in test/bench`)
  process.exit(1)
}
const text = `${machine()}\n\n${table(rows)}`
console.log(text)
if (process.argv.includes('--write')) {
  const document = join(top, 'docs/performance.md')
  writeFileSync(document, putTable(readFileSync(document, 'utf8'), text))
}

function isChosen(file) {
  return file.endsWith('.bench.js') && (words.length === 0 || words.some((word) => file.includes(word)))
}

function machine() {
  const who = process.getuid() === 0 ? 'as root' : 'as a plain user'
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `${cpus().length} × ${processor}, Linux ${release()}, Node ${process.version}, ${who}.`
}

// `npm run bench`: measures beside the peers in one run and prints the table; with --write also into
// docs/performance.md. Words choose files: `npm run bench -- commit`. With --quick everything runs once. Root's `session` is
// measured a second time as the unprivileged user of the tests.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installHostPackages, installModules } from '../../bin/setup.mjs'
import { prepareLane } from '../setup/lanes.mjs'
import { testPackages } from '../setup/packages.mjs'

const top = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const options = new Set(process.argv.slice(2).filter((word) => word.startsWith('--')))

installModules(top)
const needed = ['newuidmap', 'crun', 'buildah', 'skopeo', 'podman', 'docker-registry']
needed.push('dnf', 'rpmbuild', 'createrepo_c', 'mmdebstrap', 'apt-get', 'dpkg-deb')
installHostPackages(testPackages.filter(({ program }) => needed.includes(program)))
// Companies set it, and it makes every cold start of Node 20 34 ms longer; most machines do not have it.
delete process.env.NODE_EXTRA_CA_CERTS
if (options.has('--quick')) process.env.BENCH_QUICK = '1'
const compiled = join(top, 'dist/test/bench')
// In the user's copy of the project everything is built.
if (!options.has('--json')) {
  const built = spawnSync(process.execPath, [join(top, 'bin/build.mjs')], { stdio: 'inherit' })
  if (built.status !== 0) process.exit(1)
}
const { table, putTable } = await import(join(compiled, 'table.js'))
const rows = []
for (const file of readdirSync(compiled).filter(isChosen).sort()) {
  console.error(`measuring ${basename(file, '.bench.js')}`)
  const { measure } = await import(join(compiled, file))
  rows.push(...(await measure()))
}
if (options.has('--json')) {
  console.log(JSON.stringify(rows))
  process.exit()
}
if (rows.length === 0) {
  console.error(`no benchmark${words.length > 0 ? ` with ${words.join(' or ')} in its name` : ''} in test/bench`)
  process.exit(1)
}
const text = `${machine()}\n\n${table(rows)}`
console.log(text)
const asUserText = process.getuid() === 0 && isChosen('session.bench.js') ? `\n\n${asUser()}` : ''
console.log(asUserText)
if (options.has('--write')) {
  const document = join(top, 'docs/performance.md')
  writeFileSync(document, putTable(readFileSync(document, 'utf8'), text + asUserText))
}

// Only what is asked in a session differs much: there root needs no namespace.
function asUser() {
  const lane = prepareLane('user', top)
  if (lane.reason) return `Not measured as a plain user: ${lane.reason}.`
  try {
    const { uid, gid, env } = lane
    const script = [join(lane.top, 'test/bench/run.mjs'), '--json', 'session']
    const quick = options.has('--quick') ? { BENCH_QUICK: '1' } : {}
    const done = spawnSync(process.execPath, script, {
      ...{ uid, gid, cwd: lane.top, env: { ...env, ...quick }, encoding: 'utf8' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (done.status !== 0) throw new Error('the benchmark failed as a plain user')
    return `The same machine, as a plain user.\n\n${table(JSON.parse(done.stdout))}`
  } finally {
    lane.remove()
  }
}

function isChosen(file) {
  return file.endsWith('.bench.js') && (words.length === 0 || words.some((word) => file.includes(word)))
}

function machine() {
  const who = process.getuid() === 0 ? 'as root' : 'as a plain user'
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `${cpus().length} × ${processor}, Linux ${release()}, Node ${process.version}, ${who}.`
}

// Runs one lane's test files with node:test and gives what they report to the tally.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Runs the files of a lane whose path holds one of `words` (all when there is none) until `deadline`. */
export async function runLane(lane, words, tally, deadline) {
  const chosen = batches(lane, words).filter(({ files }) => files.length > 0)
  if (chosen.length > 0) console.log(`lane ${lane.name}: ${lane.about}`)
  for (const batch of chosen) if (!tally.stopped) await runBatch(lane, batch, tally, deadline)
  if (lane.name !== 'static' && chosen.length > 0) await endLeftovers(lane, tally)
}

// Rooms whose tests need to be root of a namespace; a single file elsewhere says so in its name.
const insideRooms = /^(layer|store|runtime|transport)\/|\.inside\.test\.js$/
const laneRooms = /^(architecture|bare)\//
// Values and pure functions: who runs their tests makes no difference.
const valueRooms = /^(image|cpp-preprocess-wasm)\//

function batches(lane, words) {
  const base = join(lane.top, 'dist/test')
  const files = readdirSync(base, { recursive: true })
    .filter((file) => file.endsWith('.test.js') && isFileOf(lane.name, file))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort()
  const [inside, outside] = [files.filter((file) => insideRooms.test(file)), files]
  if (lane.name === 'root') return [{ files, enter: privateMounts() }]
  if (lane.name !== 'user') return [{ files, enter: [] }]
  const enter = [process.execPath, join(lane.top, 'test/setup/inside.mjs')]
  return [
    { files: outside.filter((file) => !inside.includes(file)), enter: [] },
    { files: inside, enter },
  ]
}

function isFileOf(lane, file) {
  if (lane === 'static') return file.startsWith('architecture/')
  if (lane === 'bare') return file.startsWith('bare/')
  return !laneRooms.test(file) && !(lane === 'root' && valueRooms.test(file))
}

// What root's tests mount must not stay on the machine, whatever becomes of them.
function privateMounts() {
  return spawnSync('unshare', ['-m', 'true']).status === 0 ? ['unshare', '-m'] : []
}

async function runBatch(lane, { files, enter }, tally, deadline) {
  const base = join(lane.top, 'dist/test')
  const [command, ...args] = [...enter, nodeOf(lane), ...testOptions(lane), ...files.map((file) => join(base, file))]
  const { uid, gid, env } = lane
  const child = spawn(command, args, {
    cwd: lane.top,
    env,
    ...(uid !== undefined && { uid, gid }),
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const end = (reason) => {
    tally.stop(`lane ${lane.name}`, reason)
    process.kill(-child.pid, 'SIGKILL')
  }
  const interrupted = (signal) => end(`interrupted by ${signal}`)
  const timer = setTimeout(end, deadline - Date.now(), 'the whole run is over its time')
  for (const signal of signals) process.once(signal, interrupted)
  const ended = new Promise((resolve, reject) => child.on('close', (code) => resolve(code)).on('error', reject))
  await tally.read(lane.name, base, createInterface({ input: child.stdout }))
  const code = await ended
  clearTimeout(timer)
  for (const signal of signals) process.off(signal, interrupted)
  if (tally.stopped) return
  // 1 is node:test's own "some failed"; anything else means that the run itself did not come to its end.
  if (code !== 0 && (code !== 1 || tally.failures.length === 0))
    tally.fail(`lane ${lane.name}`, `the test runner ended with ${code ?? 'a signal'}`)
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']

function testOptions({ name, top }) {
  return [
    '--test',
    `--test-concurrency=${name === 'static' ? 1 : 2}`,
    '--test-timeout=240000',
    `--test-reporter=${join(top, 'test/setup/reporter.mjs')}`,
    '--test-reporter-destination=stdout',
  ]
}

function nodeOf({ env }) {
  const own = join(env.PATH.split(':')[0], 'node')
  return existsSync(own) ? own : process.execPath
}

// A verb that ends must leave no process behind. Other tools' pause processes are theirs to leave.
async function endLeftovers({ name, env }, tally) {
  const mark = `BUILDER_TEST_RUN=${env.BUILDER_TEST_RUN}`
  for (let turn = 0; turn < 20 && leftovers(mark).length > 0; turn++)
    await new Promise((resolve) => setTimeout(resolve, 100))
  const left = leftovers(mark)
  const ours = left.filter(
    ({ command }) => !/^(podman|conmon|catatonit|buildah|pasta|passt|slirp4netns)\b/.test(command),
  )
  tally.check(`lane ${name}: processes left behind`, ours.map(({ pid, command }) => `${pid} ${command}`).join('\n'))
  for (const { pid } of left) process.kill(pid, 'SIGKILL')
}

function leftovers(mark) {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && `\0${read(`/proc/${pid}/environ`)}`.includes(`\0${mark}\0`))
    .map((pid) => ({ pid: Number(pid), command: commandOf(pid) }))
}

function commandOf(pid) {
  return read(`/proc/${pid}/cmdline`)
    .replaceAll('\0', ' ')
    .trim()
    .replace(/^\S*\//, '')
}

// Empty for a process that is gone, or another user's.
function read(file) {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

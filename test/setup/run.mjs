// `npm test`: installs what is missing, builds, runs every lane and counts. Needs Node alone to start.
//
//   npm test                          everything
//   npm test -- store/locks           test files whose path holds one of the words
//   npm test -- --lane=user layer/    in some lanes only: static, root, user, bare
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installHostPackages, installModules } from '../../bin/setup.mjs'
import { runLane } from './lane.mjs'
import { laneNames, prepareLane } from './lanes.mjs'
import { testPackages } from './packages.mjs'
import { Tally } from './tally.mjs'

const top = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const lanes = chosenLanes(process.argv.slice(2).filter((word) => word.startsWith('--')))
// A run that hangs is reported, not cut off without a count.
const deadline = Date.now() + 30 * 60_000
const tally = new Tally()

try {
  installModules(top)
  for (const { program, apt } of installHostPackages(testPackages)) missing(program, apt)
  if (build()) for (const lane of lanes) if (!tally.stopped) await testLane(lane)
} catch (error) {
  tally.fail('test set-up', error.message)
}
process.exitCode = tally.finish()

// Where a person runs the tests, those that need the program skip themselves; they are counted there.
function missing(program, apt) {
  if (process.env.CI) tally.fail(`host package ${apt}`, `${program} is missing, and CI skips nothing`)
}

// A type error is a failure like another; without JavaScript there is nothing to run.
function build() {
  const bundled = buildWith('--clean')
  return buildWith('--types') || bundled
}

function buildWith(option) {
  const done = spawnSync(process.execPath, [join(top, 'bin/build.mjs'), option], { encoding: 'utf8' })
  if (done.status !== 0) tally.fail(`build ${option}`, `${done.stdout}${done.stderr}`.trim())
  return done.status === 0
}

async function testLane(name) {
  const lane = await prepareLane(name, top)
  if (lane.reason !== undefined) {
    console.log(`lane ${name}: not run, ${lane.reason}`)
    if (process.env.CI) tally.fail(`lane ${name}`, `not run: ${lane.reason}`)
    else tally.skip(`lane ${name}: ${lane.reason}`)
    return
  }
  try {
    await runLane(lane, words, tally, deadline)
  } finally {
    lane.remove()
  }
}

function chosenLanes(options) {
  const chosen = options.flatMap((option) => (option.startsWith('--lane=') ? option.slice(7).split(',') : [option]))
  const unknown = chosen.filter((name) => !laneNames.includes(name))
  if (unknown.length === 0) return chosen.length > 0 ? chosen : laneNames
  console.error(`unknown: ${unknown.join(' ')}; the lanes are --lane=${laneNames.join(',')}`)
  process.exit(2)
}

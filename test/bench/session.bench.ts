/** Shell verbs in a session and cold, recipes of them, and what the engine costs that answers them. */
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { alone, pair, type Row } from './pair.js'
import { call, newPlace, type Place, top } from './places.js'
import { recipe13, recipe200 } from './recipe-script.js'
import { TimedShell } from './timed-shell.js'

const runs = 15
const recipeRuns = 5
const longRuns = 2

const verbs = [
  { verb: 'config', words: 'config --env A=1 $c', aim: '5 ms' },
  { verb: 'copy of a small file', words: 'copy -q $c $folder/page /page' },
  { verb: 'run true', words: 'run $c -- true', aim: '25 ms' },
  { verb: 'images', words: 'images' },
  { verb: 'inspect', words: 'inspect $c' },
  { verb: 'containers', words: 'containers' },
]

/** A tool as it is measured: its words, and shells in and outside its namespace that have a container `$c`. */
interface Tool {
  readonly words: readonly string[]
  /** The words that start a program in the namespace; none as root. */
  readonly unshare: readonly string[]
  readonly inside: TimedShell
  readonly outside: TimedShell
}

export async function measure(): Promise<readonly Row[]> {
  const place = newPlace()
  const started: Tool[] = []
  try {
    fill(place.folder)
    const ours = [join(top, 'bin/builder')]
    // As root buildah knows no other namespace, and refuses to make one.
    const theirs = process.getuid?.() === 0 ? [] : [...place.buildah, 'unshare']
    const builder = await startTool(ours, [...ours, 'unshare'], place)
    started.push(builder)
    const buildah = await startTool(place.buildah, theirs, place)
    started.push(buildah)
    return [
      ...(await eachVerb(builder, buildah)),
      ...(await recipes(builder, buildah, place)),
      ...(await inParallel(builder, buildah)),
      ...(await engine(place)),
    ]
  } finally {
    for (const { inside, outside } of started) await Promise.all([inside.end(), outside.end()])
    place.remove()
  }
}

function fill(folder: string): void {
  mkdirSync(join(folder, 'bin'))
  copyFileSync('/bin/busybox', join(folder, 'bin/busybox'))
  for (const name of ['true', 'sh']) symlinkSync('busybox', join(folder, 'bin', name))
  copyFileSync('/bin/busybox', join(folder, 'sh'))
  writeFileSync(join(folder, 'page'), 'hello\n')
  writeFileSync(join(folder, 'recipe13'), recipe13)
  writeFileSync(join(folder, 'recipe200'), recipe200)
}

async function startTool(words: readonly string[], unshare: readonly string[], place: Place): Promise<Tool> {
  const inside = await TimedShell.start(unshare, place.env)
  const outside = await TimedShell.start([], place.env)
  for (const shell of [inside, outside]) {
    await shell.run(`tool='${words.join(' ')}' folder='${place.folder}'`)
    await shell.run(`c=$($tool from scratch) && $tool copy -q $c $folder/bin /bin`)
  }
  return { words, unshare, inside, outside }
}

async function eachVerb(builder: Tool, buildah: Tool): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const { verb, words, aim } of verbs) {
    const run = (shell: TimedShell) => () => shell.run(`$tool ${words}`)
    const [inside, cold] = [
      await pair(run(builder.inside), run(buildah.inside), runs),
      await pair(run(builder.outside), run(buildah.outside), runs),
    ]
    rows.push({ work: `${verb}, in a session`, peer: insidePeer(buildah), ...inside, ...(aim && { aim }) })
    rows.push({ work: `${verb}, cold`, peer: 'buildah', ...cold })
  }
  return rows
}

function insidePeer({ unshare }: Tool): string {
  return unshare.length === 0 ? 'buildah' : 'in buildah unshare'
}

async function recipes(builder: Tool, buildah: Tool, place: Place): Promise<readonly Row[]> {
  const script = (tool: Tool, where: 'inside' | 'outside', name: string) => ({
    run: () => tool[where].run(`bash $folder/${name} $folder $tool`),
    after: () => tool[where].run('$tool rmi -f recipe'),
  })
  const whole = (tool: Tool) => ({
    run: async () =>
      void call([...tool.unshare, 'bash', join(place.folder, 'recipe13'), place.folder, ...tool.words], place),
    after: () => tool.outside.run('$tool rmi -f recipe'),
  })
  const both = (where: 'inside' | 'outside', name: string, count: number) =>
    pair(script(builder, where, name), script(buildah, where, name), count)
  const peer = insidePeer(buildah)
  return [
    { work: '13 verbs, in a session', peer, ...(await both('inside', 'recipe13', recipeRuns)), aim: '0.25 s' },
    {
      work: '13 verbs, with the start of the session',
      peer: buildah.unshare.length === 0 ? 'buildah' : 'buildah unshare',
      ...(await pair(whole(builder), whole(buildah), recipeRuns)),
    },
    { work: '13 verbs, cold', peer: 'buildah', ...(await both('outside', 'recipe13', recipeRuns)) },
    { work: '200 verbs, in a session', peer, ...(await both('inside', 'recipe200', longRuns)) },
  ]
}

async function inParallel(builder: Tool, buildah: Tool): Promise<readonly Row[]> {
  const hundred = ({ inside }: Tool) => ({
    run: () => inside.run('for i in {1..100}; do $tool config --label l$i=1 $c & done; wait'),
  })
  return [
    {
      work: '100 config at once, in a session',
      peer: insidePeer(buildah),
      ...(await pair(hundred(builder), hundred(buildah), longRuns)),
    },
  ]
}

/** What one engine has taken when a recipe of 200 verbs is over, and what it does while nobody asks. */
async function engine(place: Place): Promise<readonly Row[]> {
  const shell = await TimedShell.start([join(top, 'bin/builder'), 'unshare'], place.env)
  try {
    await shell.run(`bash ${place.folder}/recipe200 ${place.folder} ${join(top, 'bin/builder')}`)
    await setTimeout(1000)
    const pid = basename(shell.session)
    const before = ticks(pid)
    await setTimeout(5000)
    return [
      {
        work: "the engine's memory after 200 verbs (RSS)",
        ours: kilobytes(`/proc/${pid}/status`, 'VmRSS'),
        aim: '120 MB',
      },
      { work: "the engine's memory after 200 verbs (PSS)", ours: kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss') },
      { work: "the engine's work in 5 s without a verb", ours: `${(ticks(pid) - before) * 10} ms` },
      { work: 'a session from start to end', ...(await alone(startAndEnd(place), runs)) },
    ]
  } finally {
    await shell.end()
  }
}

function startAndEnd(place: Place) {
  return async () => void call([join(top, 'bin/builder'), 'unshare', 'true'], place)
}

function kilobytes(path: string, key: string): string {
  const found = new RegExp(`^${key}:\\s*(\\d+) kB`, 'm').exec(readFileSync(path, 'latin1'))?.[1]
  return `${(Number(found) / 1024).toFixed(0)} MB`
}

/** Hundredths of a second of CPU time. Source: proc(5), /proc/pid/stat, utime and stime. */
function ticks(pid: string): number {
  const [utime, stime] = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/.*\) /s, '').split(' ').slice(11, 13)
  return Number(utime) + Number(stime)
}

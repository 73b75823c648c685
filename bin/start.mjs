// `npm start`: installs what is missing, builds, and does what builder is for: the recipe recipes/hello through every
// door, then each image's ID, its tree and what it says when it runs. Needs Node alone to start.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installHostPackages, installModules, runPackages } from './setup.mjs'

const top = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const builder = join(top, 'bin/builder')
// The doors of one recipe; each prints the image's ID as its last line.
const doors = [
  { file: 'recipes/hello/hello.ts', argv: [process.execPath, join(top, 'dist/recipes/hello/hello.js')] },
  { file: 'recipes/hello/hello.sh', argv: ['sh', join(top, 'recipes/hello/hello.sh')] },
  {
    file: 'recipes/hello/Containerfile.in',
    argv: [builder, 'build', '-q', '-f', join(top, 'recipes/hello/Containerfile.in'), join(top, 'recipes/hello')],
  },
]

// A folder with `builder` and `node` in it, first on the PATH: as after an installation.
const path = mkdtempSync(join(tmpdir(), 'builder-start-'))
// The same moment for every door: with it their images have one ID.
const env = {
  ...process.env,
  SOURCE_DATE_EPOCH: process.env.SOURCE_DATE_EPOCH ?? '1700000000',
  PATH: `${path}${delimiter}${process.env.PATH}`,
}

try {
  installModules(top)
  installHostPackages(runPackages)
  run([process.execPath, join(top, 'bin/build.mjs')])
  symlinkSync(builder, join(path, 'builder'))
  symlinkSync(process.execPath, join(path, 'node'))
  startEveryDoor()
} catch (error) {
  console.error(`npm start: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(path, { recursive: true, force: true })
}

function startEveryDoor() {
  const open = doors.filter(({ file }) => existsSync(join(top, file)))
  if (open.length === 0) throw new Error('no recipe in recipes/hello')
  const ids = open.map(({ file, argv }) => {
    console.log(`\n== ${file}`)
    const id = run(argv).trim().split('\n').at(-1)
    console.log(`image ID: ${id}`)
    show(id)
    return id
  })
  const same = new Set(ids).size === 1
  if (!same) throw new Error(`the doors gave different images: ${ids.join(' ')}`)
  console.log(`\n${open.length} doors, one image: ${ids[0]}`)
}

function show(id) {
  const container = run([builder, 'from', id]).trim()
  try {
    const root = run([builder, 'mount', container]).trim()
    console.log(`tree:\n${indent(tree(root))}`)
    run([builder, 'umount', container])
    console.log(`output:\n${indent(run([builder, 'run', container, '--', ...commandOf(id)]))}`)
  } finally {
    run([builder, 'rm', container])
  }
}

function tree(root) {
  const format = '%P %y %m %s %l\\n'
  return run(['find', root, '-mindepth', '1', '-printf', format])
    .trim()
    .split('\n')
    .sort()
    .map((line) => line.split(' '))
    .map(
      ([name, kind, mode, size, target]) =>
        `${kind} ${mode.padStart(4)} ${size.padStart(9)} /${name}${target ? ` -> ${target}` : ''}`,
    )
    .join('\n')
}

// What the image starts: its entry point and command.
function commandOf(id) {
  const image = JSON.parse(run([builder, 'inspect', '--type', 'image', id]))
  const config = (image.OCIv1 ?? image).config
  return [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]
}

function indent(text) {
  return text.trimEnd().replace(/^/gm, '  ')
}

function run([program, ...args]) {
  const done = spawnSync(program, args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  })
  if (done.error) throw done.error
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${done.status ?? done.signal}`)
  return done.stdout
}

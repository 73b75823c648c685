// `npm start`: installs what is missing, builds, and does what builder is for: the recipe recipes/hello through every
// door, then each image's ID, its tree and what it says when it runs. Needs Node alone to start.
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installHostPackages, installModules, runPackages } from './setup.mjs'

const top = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const builder = join(top, 'bin/builder')
// The doors of one recipe, as a user opens them; each prints the image's ID as its last line.
const recipe = (file) => join(top, 'recipes/hello', file)
const words = ['--layers=false', '--build-context', 'tools=closure:/usr/bin/env,/usr/bin/cat']
const doors = [
  { file: 'hello.ts', says: 'npx tsx hello.ts', argv: [join(top, 'node_modules/.bin/tsx'), recipe('hello.ts')] },
  { file: 'hello.sh', says: 'sh hello.sh', argv: ['sh', recipe('hello.sh')] },
  {
    file: 'Containerfile.in',
    says: `builder build ${words.join(' ')} .`,
    argv: [builder, 'build', '-q', ...words, recipe('.')],
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
  const open = doors.filter(({ file }) => existsSync(recipe(file)))
  if (open.length === 0) throw new Error('no recipe in recipes/hello')
  const ids = open.map((door) => {
    console.log(`\n${bold(`recipes/hello/${door.file}`)}  $ ${door.says}`)
    const id = run(door.argv).trim().split('\n').at(-1)
    show(id)
    return id
  })
  if (new Set(ids).size > 1) throw new Error(`the doors gave different images: ${ids.join(' ')}`)
  console.log(`\n${bold(`${open.length} doors, one image.`)} It is in the store as localhost/hello:`)
  console.log(indent(run([builder, 'images', 'hello'])))
}

function show(id) {
  console.log(`  image   ${id}`)
  const { OCIv1, Manifest } = JSON.parse(run([builder, 'inspect', '--type', 'image', id]))
  const { layers } = JSON.parse(Manifest)
  OCIv1.rootfs.diff_ids.forEach((diffID, i) => {
    console.log(`  layer   ${diffID.slice(7, 19)}  ${bytes(layers[i].size)}`)
  })
  const container = run([builder, 'from', id]).trim()
  try {
    const root = run([builder, 'mount', container]).trim()
    console.log(`  files\n    /\n${tree(root, '    ')}`)
    run([builder, 'umount', container])
    // Without a command, the container's own.
    console.log(`  says    ${run([builder, 'run', container]).trimEnd().replaceAll('\n', '\n          ')}`)
  } finally {
    run([builder, 'rm', container])
  }
}

// What a root file system holds, drawn as tree(1) does.
function tree(folder, before) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries
    .flatMap((entry, i) => {
      const isLast = i === entries.length - 1
      const path = join(folder, entry.name)
      const line = `${before}${isLast ? '└── ' : '├── '}${entry.name}`
      if (entry.isSymbolicLink()) return [fit(`${line} -> ${readlinkSync(path)}`)]
      if (!entry.isDirectory()) return [`${line}  ${bytes(lstatSync(path).size)}`]
      return [`${line}/`, tree(path, `${before}${isLast ? '    ' : '│   '}`)].filter(Boolean)
    })
    .join('\n')
}

function bytes(size) {
  if (size < 1024) return `${size} B`
  return size < 1 << 20 ? `${(size / 1024).toFixed(1)} KiB` : `${(size / (1 << 20)).toFixed(1)} MiB`
}

function bold(text) {
  return process.stdout.isTTY && !process.env.NO_COLOR ? `\x1b[1m${text}\x1b[0m` : text
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

// A long line would break the tree.
function fit(line) {
  const width = process.stdout.columns ?? 80
  return line.length < width ? line : `${line.slice(0, width - 2)}…`
}

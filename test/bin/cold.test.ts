import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { choose } from '../../bin/choose.js'
import { takesValue } from '../../bin/verb.js'
import { table } from '../../bin/verbs.gen.js'
import { builder, command, needs, tempDir, top } from '../lane.js'

const require = createRequire(import.meta.url)
const start: { metadataVerbs: readonly string[]; verbOf: (words: readonly string[]) => string } = require(
  join(top, 'bin/start.cjs'),
)

describe('which bundle a verb is in', () => {
  it('the small one has the verbs that run outside, the large one all', () => {
    const outside = table.verbs.filter(({ where, offline }) => where === 'outside' && offline).map(({ file }) => file)
    assert.deepEqual([...start.metadataVerbs].sort(), outside.sort())
    for (const { file } of table.verbs) {
      const path = `sdk/verbs/${file}.ts`
      assert.equal(contents('metadata').includes(path), outside.includes(file), file)
      assert.ok(contents('main').includes(path), file)
    }
  })

  const lines = ['config c', '--root /r config', '--root=config run c', '--root config run', '--runroot --root config']
  for (const line of [
    ...lines,
    'ps',
    'images --root config',
    '--log-level=debug --storage-opt a tag i j',
    'run config',
  ])
    it(`is found as the command line finds the verb: ${line}`, () => {
      const words = line.split(' ')
      const choice = choose(words, table)
      const names = choice.kind === 'verb' ? [choice.verb.name, ...choice.verb.aliases] : []
      assert.ok(names.includes(start.verbOf(words)), start.verbOf(words))
    })

  for (const line of ['', '--help', '--version', '-h', '--help config'])
    it(`${line || 'no words'}: anything will do`, () => {
      assert.notEqual(choose(line.split(' ').filter(Boolean), table).kind, 'verb')
    })

  it('for that every global flag takes a value', () => {
    assert.deepEqual(
      table.globals.filter((flag) => !takesValue(flag)),
      [],
    )
  })
})

describe('what a bundle holds', () => {
  it('the small one has nothing of namespaces, layers, transports and runtimes but their names', () => {
    const rooms = /^sdk\/(layer|transport|runtime|distro|trust|door|containerfile)\//
    const namespace = /^sdk\/namespace\/(?!(caller|idmap|inside|mountinfo|process|run-directory)\.ts$)/
    const packages = /^node_modules\/(?!commander\/)/
    assert.deepEqual(
      contents('metadata').filter((file) => rooms.test(file) || namespace.test(file) || packages.test(file)),
      [],
    )
  })

  for (const { name, file, offline } of table.verbs)
    if (offline)
      it(`${name} needs no network`, () => {
        const network = /^sdk\/(transport\/|layer\/fetch)|^node:(http|https|net|tls|http2|dgram)$/
        assert.deepEqual(
          reachedFrom(`sdk/verbs/${file}.ts`).filter((path) => network.test(path)),
          [],
        )
      })
})

describe('what a verb that only reads and changes metadata loads', () => {
  // Nothing is loaded by one of them that takes longer than the verb; images are checked against their digests.
  const verbs: [string, readonly string[]][] = [
    ['config --env A=1 c', []],
    ['containers', []],
    ['inspect c', []],
    ['rename c d', []],
    ['version', []],
    // For the width of what standard output is.
    ['help', ['net', 'stream']],
    ['images', ['crypto', 'stream']],
    ['inspect --type image i', ['crypto', 'stream']],
    ['tag i j', ['crypto', 'stream']],
    ['untag i', ['crypto', 'stream']],
  ]
  for (const [line, expected] of verbs)
    it(`${line}: ${expected.join(' and ') || 'nothing'} of what is slow to load`, async (t) => {
      const store = tempDir(t)
      await builder(['from', '--name', 'c', 'scratch'], { store })
      await builder(['commit', '-q', 'c', 'i'], { store })
      await builder(['from', '--name', 'e', 'scratch'], { store })
      const hook = join(store, 'hook.cjs')
      writeFileSync(hook, `process.on('exit', () => console.error('loaded ' + process.moduleLoadList.join(' ')))`)
      const env = { NODE_OPTIONS: `--require=${hook}` }
      const plain = await command([process.execPath, '-e', ''], { env })
      const ran = await builder(line.split(' '), { store, env })
      assert.equal(ran.code, 0, ran.stderr)
      assert.deepEqual(loaded(plain.stderr), [])
      assert.deepEqual(loaded(ran.stderr), expected)
      assert.doesNotMatch(ran.stderr, /process_wrap|spawn_sync/)
    })
})

describe('what a verb that only reads and changes metadata asks of the kernel', () => {
  for (const line of [
    'config --env A=1 c',
    'containers',
    'images',
    'inspect c',
    'tag i j',
    'untag i',
    'rename c d',
    'version',
  ])
    it(`${line}: no namespace, and no program but the shell and Node`, async (t) => {
      if (!needs(t, 'strace')) return
      const store = tempDir(t)
      await builder(['from', '--name', 'c', 'scratch'], { store })
      await builder(['commit', '-q', 'c', 'i'], { store })
      const places = ['--root', join(store, 'root'), '--runroot', join(store, 'run')]
      const watch = ['strace', '-f', '-qq', '-e', 'signal=none', '-e', 'trace=unshare,setns,clone,clone3,mount,execve']
      const ran = await command([...watch, join(top, 'bin/builder'), ...places, ...line.split(' ')])
      assert.equal(ran.code, 0, ran.stderr)
      const calls = ran.stderr.split('\n').filter((call) => / = (?!-1)/.test(call))
      assert.deepEqual(
        calls.filter((call) => /unshare\(|setns\(|mount\(|CLONE_NEW/.test(call)),
        [],
      )
      const programs = calls.map((call) => /execve\("([^"]*)"/.exec(call)?.[1]).filter((path) => path !== undefined)
      assert.match(programs.map((path) => path.replace(/.*\//, '')).join(' '), /^builder node$/)
    })
})

const slow = ['child_process', 'crypto', 'fs/promises', 'http', 'net', 'stream', 'worker_threads', 'zlib']

function loaded(stderr: string): string[] {
  const line = stderr.split('\n').find((one) => one.startsWith('loaded ')) ?? ''
  const names = new Set([...line.matchAll(/NativeModule (\S+)/g)].map(([, name]) => name))
  return slow.filter((name) => names.has(name))
}

interface Bundle {
  readonly inputs: Readonly<Record<string, { readonly imports: readonly { path: string; external?: boolean }[] }>>
  readonly outputs: Readonly<Record<string, { inputs: Readonly<Record<string, { bytesInOutput: number }>> }>>
}

function bundle(name: string): Bundle {
  return require(join(top, `dist/bundles/${name}.json`))
}

/** The files that a bundle is made of. */
function contents(name: string): string[] {
  const [output] = Object.values(bundle(name).outputs)
  return Object.entries(output?.inputs ?? {}).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []))
}

/** What a file may come to import, now or later. */
function reachedFrom(file: string): string[] {
  const { inputs } = bundle('main')
  const there = new Set(contents('main'))
  const found = new Set([file])
  for (const one of found)
    for (const { path, external } of inputs[one]?.imports ?? [])
      if (path === 'node:net' && one === agentSockets) continue
      else if (external || there.has(path)) found.add(path)
  return [...found]
}

/** The one file whose sockets are this machine's own: those of an ssh agent. */
const agentSockets = 'sdk/runtime/ssh-forward.ts'

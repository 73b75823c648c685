import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startTimeOf } from '../../sdk/namespace/process.js'
import { runDirectory } from '../../sdk/namespace/run-directory.js'
import { builder, command, lane, needs, type Ran, tempDir, top } from '../lane.js'

const launcher = join(top, 'bin/builder')
const shells = [['dash'], ['bash'], ['busybox', 'ash']] as const
const isUser = lane() === 'user'

/** A program instead of builder's own: it says what it was given. */
function witness(t: TestContext, body: string): Readonly<Record<string, string>> {
  const folder = tempDir(t)
  const main = join(folder, 'main.mjs')
  writeFileSync(main, body)
  return { BUILDER_MAIN: main, BUILDER_RUNROOT: join(folder, 'run') }
}

const said = 'console.log(JSON.stringify([process.getuid(), process.cwd(), ...process.argv.slice(2)]))'
const odd = ['', ' ', 'a  b', "it's", '"q"', 'new\nline', '$HOME', '`id`', '*', '\\', '-', '--', 'ü', '!x', 'last\n']

for (const shell of shells) {
  const name = shell.join(' ')

  for (const verb of ['images', 'run']) {
    test(`${name}: ${verb} gets its words and its folder as they are, and is root inside`, async (t) => {
      if (!needs(t, shell[0])) return
      const folder = tempDir(t)
      const ran = await command([...shell, launcher, verb, ...odd], { env: witness(t, said), cwd: folder })
      assert.equal(ran.stderr, '')
      const uid = verb === 'run' ? 0 : process.getuid?.()
      assert.deepEqual(JSON.parse(ran.stdout), [uid, folder, verb, ...odd])
    })

    test(`${name}: ${verb} has the caller's input, exit code and process`, async (t) => {
      if (!needs(t, shell[0])) return
      const env = witness(
        t,
        'process.stdin.pipe(process.stdout); process.stdin.on("end", () => (process.exitCode = 42))',
      )
      const ran = await command([...shell, launcher, verb], { env, input: 'in\0put' })
      assert.deepEqual(ran, { stdout: 'in\0put', stderr: '', code: 42 })
    })
  }

  test(`${name}: words that are not UTF-8 arrive as bytes`, async (t) => {
    if (!needs(t, shell[0])) return
    const main =
      'import { readFileSync } from "node:fs"; console.log(readFileSync("/proc/self/cmdline").toString("hex"))'
    const script = `exec ${shell.join(' ')} "$0" run "$(printf 'a\\377b')"`
    const ran = await command(['sh', '-c', script, launcher], { env: witness(t, main) })
    assert.match(ran.stdout, /61ff6200\n$/)
  })

  test(`${name}: the verb is found behind global options`, async (t) => {
    if (!needs(t, shell[0])) return
    const words = ['--log-level', 'debug', '--root=/x y', '--storage-driver', 'run', 'info', '--root']
    const ran = await command([...shell, launcher, ...words], { env: witness(t, said) })
    assert.deepEqual(JSON.parse(ran.stdout), [0, process.cwd(), ...words])
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${name}: ${signal} reaches the verb, for it is the process that was started`, async (t) => {
      if (!needs(t, shell[0])) return
      const body = `process.on('${signal}', () => process.exit(7)); console.log(process.pid); setInterval(() => {}, 1000)`
      const [program, ...args] = shell
      const child = spawn(program, [...args, launcher, 'run'], {
        env: { ...process.env, ...witness(t, body) },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      child.stdout.once('data', (text) => {
        assert.equal(Number(text), child.pid)
        child.kill(signal)
      })
      assert.equal(await new Promise((done) => child.once('exit', done)), 7)
    })
  }
}

test('links are followed: relative ones, of folders, and names on the PATH', async (t) => {
  const folder = tempDir(t)
  for (const name of ['node_modules/.bin', 'far']) mkdirSync(join(folder, name), { recursive: true })
  symlinkSync(join(top, 'bin'), join(folder, 'linked'))
  symlinkSync('../linked/builder', join(folder, 'far/one'))
  symlinkSync('../../far/one', join(folder, 'node_modules/.bin/builder'))
  const PATH = `${join(folder, 'node_modules/.bin')}:${process.env.PATH}`
  for (const [program, cwd] of [
    [join(folder, 'node_modules/.bin/builder'), '/'],
    ['./node_modules/.bin/builder', folder],
    ['builder', '/'],
  ] as const) {
    const ran = await command([program, 'version'], { cwd, env: { PATH } })
    assert.match(ran.stdout, /^builder \d/, `${program}: ${ran.stderr}`)
  }
})

/** A folder of programs that is the whole PATH. */
function programs(t: TestContext, names: readonly string[]): string {
  const folder = tempDir(t)
  for (const name of names) {
    const path = (process.env.PATH ?? '')
      .split(':')
      .map((one) => join(one, name))
      .find((one) => existsSync(one))
    if (path) symlinkSync(path, join(folder, name))
  }
  return folder
}

const common = ['sh', 'unshare', 'nsenter', 'setsid', 'flock', 'sleep', 'mv', 'mkdir', 'cp', 'id', 'readlink', 'mount']

test('what is missing is said, and what to do', async (t) => {
  const old = tempDir(t)
  writeFileSync(join(old, 'old.cjs'), "Object.defineProperty(process.versions, 'node', { value: '18.1.0' })")
  const table: readonly [string, Readonly<Record<string, string>>, RegExp][] = [
    ['no node', { PATH: programs(t, common) }, /node is not on the PATH; install Node.js 20 or newer/],
    ['not built', { BUILDER_MAIN: '/nowhere/main.js' }, /start \/nowhere\/main.js: it is not built; run npm run build/],
    ['old node', { NODE_OPTIONS: `-r ${old}/old.cjs` }, /Node.js 18.1.0 is too old; install Node.js 20 or newer/],
  ]
  for (const [name, env, message] of table) {
    const ran = await command([launcher, 'version'], { env })
    assert.equal(ran.code, 125, name)
    assert.match(ran.stderr, message)
    assert.equal(ran.stderr.trim().split('\n').length, 1, ran.stderr)
  }
})

test('the run folder is the same for the launcher and for the SDK', (t) => {
  const folder = tempDir(t)
  const rows: readonly Readonly<Record<string, string | undefined>>[] = [
    {},
    { XDG_RUNTIME_DIR: folder },
    { XDG_RUNTIME_DIR: '' },
    { XDG_RUNTIME_DIR: 'relative' },
    { XDG_RUNTIME_DIR: '/nowhere' },
    { XDG_RUNTIME_DIR: '/usr' },
    { XDG_RUNTIME_DIR: folder, BUILDER_RUNROOT: '' },
    { XDG_RUNTIME_DIR: folder, BUILDER_RUNROOT: '/run root' },
    { BUILDER_RUNROOT: 'relative/one' },
  ]
  const rule = /^run_directory\(\) \{$[\s\S]*?^\}$/m.exec(readFileSync(launcher, 'utf8'))?.[0]
  const script = `runroot=\${BUILDER_RUNROOT-} uid=${process.getuid?.()}; : "\${XDG_RUNTIME_DIR=}"\n${rule}\nrun_directory; printf %s "$runroot"`
  for (const row of rows) {
    const env = { PATH: process.env.PATH, ...row }
    const shell = spawnSync('sh', ['-c', script], { env, encoding: 'utf8' }).stdout
    const url = new URL('../../sdk/namespace/run-directory.js', import.meta.url)
    const code = `import { runDirectory } from ${JSON.stringify(url)}; process.stdout.write(runDirectory())`
    const sdk = spawnSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' }).stdout
    assert.equal(sdk, resolve(shell), JSON.stringify(row))
  }
  assert.equal(runDirectory('/given'), '/given')
})

if (isUser) {
  const places = (t: TestContext) => ({ store: tempDir(t) })

  test('without newuidmap one id is mapped, with one warning, and the main job works', async (t) => {
    if (!needs(t, 'busybox', 'chroot')) return
    const { store } = places(t)
    const env = {
      PATH: programs(t, [...common, 'node', 'chroot', 'umount', 'setpriv', 'env', 'cat', 'rm']),
      BUILDER_WARNED: undefined,
    }
    const busybox = join(tempDir(t), 'busybox')
    spawnSync('cp', [spawnSync('which', ['busybox'], { encoding: 'utf8' }).stdout.trim(), busybox])
    const warned = (ran: Ran) => {
      assert.equal(ran.code, 0, ran.stderr)
      assert.equal(ran.stderr.match(/warning: only one id is mapped, for newuidmap and newgidmap are not/g)?.length, 1)
      return ran.stdout.trim()
    }
    const c = warned(await builder(['from', 'scratch'], { store, env }))
    warned(await builder(['copy', c, busybox, '/bin/busybox'], { store, env }))
    const run = [
      'run',
      '--isolation=chroot',
      c,
      '/bin/busybox',
      'sh',
      '-c',
      'echo hello >/greeting && /bin/busybox cat /greeting',
    ]
    assert.equal(warned(await builder(run, { store, env })), 'hello')
    assert.match(warned(await builder(['commit', c, 'one-id'], { store, env })), /^[0-9a-f]{64}$/)
    await builder(['rm', '--all'], { store })
  })

  test('a newuidmap that refuses is no reason to wait', async (t) => {
    const folder = programs(t, [...common, 'node'])
    for (const name of ['newuidmap', 'newgidmap']) {
      writeFileSync(join(folder, name), '#!/bin/sh\necho "$0: no" >&2\nexit 1\n')
      chmodSync(join(folder, name), 0o755)
    }
    const ran = await builder(['info', '--format', '{{.host.idMap.uids}}'], { env: { PATH: folder } })
    assert.match(
      ran.stderr,
      /newuidmap: no\nbuilder: warning: only one id is mapped, for newuidmap or newgidmap refused/,
    )
    assert.deepEqual([ran.code, ran.stdout], [0, `[0 ${process.getuid?.()} 1]\n`])
  })

  test('where namespaces are forbidden a sentence says so', async (t) => {
    const script =
      'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --reuid=1 --regid=1 --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override "$@"'
    const inside = [process.execPath, join(top, 'test/setup/inside.mjs'), 'sh', '-c', script, 'sh']
    const env = { ...witness(t, said), USER: undefined }
    for (const verb of ['info', 'mount']) {
      const ran = await command([...inside, launcher, verb], { env: { ...env, BUILDER_RUNROOT: '/tmp' } })
      assert.match(ran.stderr, /the kernel or a policy of this machine forbids them; set .*max_user_namespaces/)
      assert.equal(ran.code, 125)
    }
  })

  test('a user without a range is told which line gives one', async (t) => {
    const drop =
      'exec setpriv --reuid=1 --regid=1 --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override "$@"'
    const inside = [process.execPath, join(top, 'test/setup/inside.mjs'), 'sh', '-c', drop, 'sh']
    const main = witness(t, said)
    chmodSync(dirname(main.BUILDER_MAIN ?? ''), 0o755)
    const env = { ...main, USER: undefined, BUILDER_RUNROOT: '/tmp' }
    const { stderr, code } = await command([...inside, launcher, 'info'], { env })
    assert.match(stderr, /only one id is mapped, for user \S+ has no range in \/etc\/subuid and \/etc\/subgid; /)
    assert.match(stderr, /to mend it: usermod --add-subuids \d+-\d+ --add-subgids \d+-\d+ \S+\n/)
    assert.equal(code, 0)
  })

  test('two first mounts at the same time share one holder; the last umount ends it', async (t) => {
    const { store } = places(t)
    const names = ['a', 'b', 'c']
    for (const name of names) await builder(['from', '--name', name, 'scratch'], { store })
    const mounts = await Promise.all(names.map((name) => builder(['mount', name], { store })))
    const paths = mounts.map(({ stdout }) => stdout.trim())
    const holders = new Set(paths.map((path) => path.split('/')[2]))
    assert.equal(holders.size, 1, `${paths} ${mounts.map(({ stderr }) => stderr)}`)
    writeFileSync(join(paths[0] as string, 'file'), 'x')
    for (const name of names.slice(0, 2)) assert.equal((await builder(['umount', name], { store })).code, 0)
    const [holder] = [...holders]
    assert.ok(startTimeOf(Number(holder)))
    assert.equal((await builder(['rm', 'c'], { store })).code, 0)
    assert.equal(startTimeOf(Number(holder)), undefined)
    assert.equal(existsSync(join(store, 'run/holder')), false)
    assert.deepEqual(readdirSync(join(store, 'root/containers')).length, 2)
  })

  test('the holder is of all stores of a user, and ends with the last mount in any of them', async (t) => {
    const [one, other] = [places(t), places(t)]
    const env = { BUILDER_RUNROOT: join(one.store, 'run') }
    const run = async (store: string, ...words: string[]) => {
      const ran = await command([launcher, '--root', join(store, 'root'), ...words], { env })
      assert.equal(ran.code, 0, ran.stderr)
      return ran.stdout.trim()
    }
    const paths: string[] = []
    for (const { store } of [one, other]) {
      await run(store, 'from', '--name', 'c', 'scratch')
      paths.push(await run(store, 'mount', 'c'))
    }
    await run(other.store, 'umount', 'c')
    assert.deepEqual(readdirSync(paths[0] ?? ''), [])
    await run(one.store, 'umount', 'c')
    assert.equal(existsSync(join(one.store, 'run/holder')), false)
  })

  test('a holder does not outlive a mount that failed, nor a look at what is mounted', async (t) => {
    const { store } = places(t)
    assert.equal((await builder(['mount', 'nothing'], { store })).code, 125)
    assert.equal(existsSync(join(store, 'run/holder')), false)
    assert.equal((await builder(['mount'], { store })).code, 0)
    assert.equal(existsSync(join(store, 'run/holder')), false)
  })

  test('a holder is not ended while a mount is under way', async (t) => {
    const { store } = places(t)
    await builder(['from', '--name', 'c', 'scratch'], { store })
    await builder(['mount', 'c'], { store })
    const lock = spawn('flock', ['-s', join(store, 'run/holder.lock'), 'sh', '-c', 'echo; cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    await new Promise((locked) => lock.stdout.once('data', locked))
    assert.equal((await builder(['umount', 'c'], { store })).code, 0)
    assert.equal(existsSync(join(store, 'run/holder')), true)
    const ended = new Promise((done) => lock.once('exit', done))
    lock.stdin.end()
    await ended
    await builder(['mount'], { store })
    assert.equal(existsSync(join(store, 'run/holder')), false)
  })

  for (const [name, spoil] of [
    ['a holder that was killed', (words: string[]) => words],
    ['a pid that another process has now', (words: string[]) => [`${process.pid}`, words[1], words[2]]],
    ['a holder of another boot', (words: string[]) => [words[0], words[1], 'another-boot']],
    ['a file that says nothing', () => ['']],
  ] as const) {
    test(`${name} is not used`, async (t) => {
      const { store } = places(t)
      await builder(['from', '--name', 'c', 'scratch'], { store })
      const first = (await builder(['mount', 'c'], { store })).stdout
      const file = join(store, 'run/holder')
      const words = readFileSync(file, 'utf8').trim().split(' ')
      writeFileSync(file, `${spoil(words).join(' ')}\n`)
      process.kill(Number(words[0]), 'SIGKILL')
      const second = await builder(['mount', 'c'], { store })
      assert.equal(second.code, 0, second.stderr)
      assert.notEqual(second.stdout, first)
      assert.equal(readdirSync(second.stdout.trim()).length, 0)
      assert.equal((await builder(['rm', 'c'], { store })).code, 0)
    })
  }

  const filesOf = (pid: string): string[] =>
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
      } catch {
        return []
      }
    })

  test('the path of a mount can be taken by $( ), and the folder of the caller can be unmounted', async (t) => {
    const { store } = places(t)
    await builder(['from', '--name', 'c', 'scratch'], { store })
    const script = 'exec 3>&1; m=$("$0" --root "$1/root" --runroot "$1/run" mount c) && echo hi >"$m/x" && ls "$m"'
    const ran = await command(['sh', '-c', script, launcher, store])
    assert.deepEqual([ran.stdout, ran.stderr], ['x\n', ''])
    const [holder] = readFileSync(join(store, 'run/holder'), 'utf8').split(' ')
    // What the test itself was started with is not the script's.
    const open = filesOf(`${holder}`).filter((file) => !filesOf('self').includes(file) || file === '/dev/null')
    await builder(['rm', 'c'], { store })
    assert.deepEqual(new Set(open), new Set(['/dev/null']))
  })

  test('a session uses its own namespace: plain paths, verbs and sessions in it', async (t) => {
    const { store } = places(t)
    await builder(['from', '--name', 'c', 'scratch'], { store })
    const b = `"$0" --root "$1/root" --runroot "$1/run"`
    const script = `set -e; m=$(${b} mount c); echo "$m"; id -u; echo x >"$m/f"; ${b} unshare -m v=c sh -c 'ls "$v"; id -u'
      ${b} commit c made; ${b} umount c >/dev/null`
    const ran = await builder(['unshare', 'sh', '-c', script, launcher, store], { store })
    assert.equal(ran.stderr, '')
    const lines = ran.stdout.trim().split('\n')
    assert.match(lines[0] ?? '', new RegExp(`^${store}/root/containers/[0-9a-f]{64}/merged$`))
    assert.deepEqual(lines.slice(1, 4), ['0', 'f', '0'])
    assert.equal((await builder(['unshare', 'sh', '-c', 'exit 9'], { store })).code, 9)
    await builder(['rm', 'c'], { store })
  })
}

for (const [verb, code] of [
  ['images', 125],
  ['version', 125],
  ['untag x', 125],
  ['containers --quiet', 0],
] as const)
  test(`${verb} with standard output closed ends with ${code}`, async (t) => {
    const at = tempDir(t)
    const places = `--root ${at}/root --runroot ${at}/run`
    const ran = await command(['sh', '-c', `"$0" ${places} ${verb} >&-`, join(top, 'bin/builder')])
    assert.equal(ran.code, code, ran.stderr)
    if (verb !== 'untag x' && code === 125)
      assert.equal(ran.stderr, 'builder: write standard output: it is closed, or open for something else\n')
  })

for (const words of ['copy c x /y', 'add c x /y', 'run --mount type=bind,src=x,dst=/x c true'])
  test(`${words.split(' ')[0]} in a folder that was removed says so`, async (t) => {
    const at = tempDir(t)
    const b = `"$0" --root ${at}/root --runroot ${at}/run`
    const script = `cd ${at}; ${b} from --name c scratch; mkdir gone; cd gone; rmdir ../gone; ${b} ${words}`
    const ran = await command(['sh', '-c', script, join(top, 'bin/builder')])
    assert.equal(ran.code, 125)
    assert.match(ran.stderr, /^builder: (copy|add|run): the working folder was removed; go to another one$/m)
  })

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { BuilderError, containers, images, inspect, RunError, rmi } from '../../sdk/index.js'
import { command, tempDir, top } from '../lane.js'
import { container, inRoot, listing, places } from './rooted.js'

const src = tempDir({ after })
/** An image with busybox as its shell. */
let base = ''

before(async () => {
  writeFileSync(join(src, 'file'), 'content')
  await using c = await container()
  const busybox = (await command(['sh', '-c', 'command -v busybox'])).stdout.trim()
  await c.copy([busybox], undefined, { closure: true })
  const at = busybox.replace(/^\/bin\//, '/usr/bin/')
  await inRoot(
    c,
    `mkdir -p bin tmp; test -e bin/sh || ln -s ${existsSync(busybox) ? busybox : at} bin/sh; chmod 1777 tmp`,
  )
  for (const name of ['cat', 'sleep', 'id', 'ls', 'true', 'false', 'env'])
    await inRoot(c, `test -e bin/${name} || ln -s ${busybox} bin/${name}`)
  await c.config({ env: ['PATH=/bin:/usr/bin'] })
  base = (await c.commit('base')).id
})

test('from gives a container with an ID and a name', async () => {
  await using c = await container('base', { name: 'mine' })
  assert.match(c.id, /^[0-9a-f]{64}$/)
  assert.equal(c.name, 'mine')
  assert.deepEqual(
    (await containers(places)).map(({ name }) => name),
    ['mine'],
  )
})

test('run gives output and exit code', async () => {
  await using c = await container('base')
  const output = await c.run(['sh', '-c', 'echo out; echo err >&2'], { quiet: true })
  assert.deepEqual(output, { exitCode: 0, stdout: 'out\n', stderr: 'err\n' })
})

test('run takes input, environment, folder and user', async () => {
  await using c = await container('base')
  const options = { input: 'said', env: ['A=1'], workingdir: '/tmp', user: '5:6', quiet: true }
  const { stdout } = await c.run(['sh', '-c', 'cat; echo " $A $PWD $(id -u):$(id -g)"'], options)
  assert.equal(stdout, 'said 1 /tmp 5:6\n')
})

test('a command that fails throws what is known of it', async () => {
  await using c = await container('base')
  const failing = ['sh', '-c', 'echo out; echo why >&2; exit 7']
  await assert.rejects(c.run(failing, { quiet: true }), (error) => {
    assert.ok(error instanceof RunError && error instanceof BuilderError)
    assert.deepEqual(
      [error.code, error.exitCode, error.argv, error.stdout, error.stderr],
      ['RUN', 7, failing, 'out\n', 'why\n'],
    )
    assert.match(error.message, new RegExp(`^run in ${c.name}: .* ended with exit code 7: why; `))
    return true
  })
})

test('nothrow and validExitCodes give it back instead', async () => {
  await using c = await container('base')
  assert.equal((await c.run(['false'], { nothrow: true })).exitCode, 1)
  assert.equal((await c.run(['false'], { validExitCodes: ['1'] })).exitCode, 1)
})

test('a command that is not there throws RunError 127', async () => {
  await using c = await container('base')
  await assert.rejects(c.run(['no-such-command']), { name: 'RunError', exitCode: 127 })
})

test('$ quotes what is put into it', async () => {
  await using c = await container('base')
  const name = "it's a $HOME; name"
  const { stdout } = await c.$`echo ${name}`
  assert.equal(stdout, `${name}\n`)
})

test('$ quotes for a shell that knows no more than POSIX', async () => {
  await using c = await container()
  await c.copy(['/bin/sh'], undefined, { closure: true })
  const { stdout } = await c.$`for word in ${['a b', '', "it's"]}; do echo "<$word>"; done`
  assert.equal(stdout, "<a b>\n<>\n<it's>\n")
})

test('$ throws as zx does, and has its methods', async () => {
  await using c = await container('base')
  await assert.rejects(c.$`exit 3`.quiet(), { exitCode: 3 })
  assert.equal(await c.$`exit 3`.quiet().nothrow().exitCode, 3)
  assert.deepEqual(await c.$`echo a; echo b`.quiet().lines(), ['a', 'b'])
})

test('what a command writes is in the image, and what builder mounts for it is not', async () => {
  await using c = await container('base')
  await c.run(['sh', '-c', 'echo new >/tmp/new'])
  const { id } = await c.commit()
  await using next = await container(id)
  const lines = await listing(next)
  assert.ok(lines.includes('tmp/new 644 0:0 4'))
  assert.deepEqual(
    lines.filter((line) => /^(etc|proc|sys|dev|run)\//.test(line)),
    [],
  )
})

test('copy, add, config and inspect', async () => {
  await using c = await container()
  await c.copy(join(src, 'file'), '/f')
  await c.add([join(src, 'file')], '/g')
  await c.config({ cmd: ['/web'], entrypoint: ['/e'], label: ['a=b'], port: ['80'] })
  const { config } = (await c.inspect()).OCIv1
  assert.deepEqual(config, { Cmd: ['/web'], Entrypoint: ['/e'], Labels: { a: 'b' }, ExposedPorts: { '80': {} } })
  assert.deepEqual(
    (await listing(c)).map((line) => line.split(' ')[0]),
    ['f', 'g'],
  )
})

test('mount gives a path that this process reads and writes', async () => {
  await using c = await container()
  const root = await c.mount()
  mkdirSync(join(root, 'srv'))
  writeFileSync(join(root, 'srv/index.html'), 'hello')
  await c.umount()
  const { id } = await c.commit()
  await using next = await container(id)
  assert.equal(readFileSync(join(await next.mount(), 'srv/index.html'), 'utf8'), 'hello')
})

test('commit gives ID, name and digest; the container goes on', async () => {
  await using c = await container('base')
  const { id, name, digest } = await c.commit('done:1')
  assert.match(id, /^[0-9a-f]{64}$/)
  assert.match(digest, /^sha256:[0-9a-f]{64}$/)
  assert.equal(name, 'localhost/done:1')
  await c.run(['sh', '-c', 'echo more >/tmp/more'])
  assert.equal((await inspect((await c.commit()).id, { ...places, type: 'image' })).OCIv1.rootfs.diff_ids.length, 2)
  await rmi(['done:1'], places)
})

test('remove removes once, and asyncDispose after it is fine', async () => {
  await using c = await container()
  await c.remove()
  await c.remove()
  await assert.rejects(c.config({ user: 'a' }), { code: 'NOT_FOUND' })
})

test('the container is removed when the block throws', async () => {
  await assert.rejects(async () => {
    await using _ = await container('scratch', { name: 'doomed' })
    throw new Error('on purpose')
  }, /on purpose/)
  assert.ok(!(await containers(places)).some(({ name }) => name === 'doomed'))
})

test('errors cross the door whole', async () => {
  await assert.rejects(container('no-such-image'), (error) => {
    assert.ok(error instanceof BuilderError)
    assert.deepEqual([error.code, error.operation, error.object], ['NOT_FOUND', 'from', 'no-such-image'])
    return true
  })
})

test('containers work side by side', async () => {
  const all = await Promise.all(Array.from({ length: 4 }, () => container('base')))
  const said = await Promise.all(
    all.map(async (c, i) => {
      await c.copy(join(src, 'file'), `/f${i}`)
      const { stdout } = await c.run(['sh', '-c', `cat /f${i}; echo ${i}`], { quiet: true })
      const { id } = await c.commit()
      await c.remove()
      return `${stdout.trim()} ${id.length}`
    }),
  )
  assert.deepEqual(said, ['content0 64', 'content1 64', 'content2 64', 'content3 64'])
})

test('SOURCE_DATE_EPOCH counts as it is at each call', async () => {
  const created = async (epoch: string | undefined) => {
    if (epoch === undefined) delete process.env.SOURCE_DATE_EPOCH
    else process.env.SOURCE_DATE_EPOCH = epoch
    await using c = await container()
    await c.copy(join(src, 'file'), '/f')
    return (await inspect((await c.commit()).id, { ...places, type: 'image' })).OCIv1.created
  }
  const before = process.env.SOURCE_DATE_EPOCH
  try {
    assert.equal(await created('1000000000'), '2001-09-09T01:46:40Z')
    assert.equal(await created('1100000000'), '2004-11-09T11:33:20Z')
    assert.notEqual((await created(undefined))?.slice(0, 4), '2004')
  } finally {
    if (before !== undefined) process.env.SOURCE_DATE_EPOCH = before
    else delete process.env.SOURCE_DATE_EPOCH
  }
})

test('relative paths start at the working folder of each call', async () => {
  const back = process.cwd()
  await using c = await container()
  for (const name of ['one', 'two']) {
    mkdirSync(join(src, name))
    writeFileSync(join(src, name, 'f'), name)
    process.chdir(join(src, name))
    await c.copy('f', `/${name}`)
  }
  process.chdir(back)
  assert.equal(await inRoot(c, 'cat one two'), 'onetwo')
})

const aborted = { code: 'ABORTED' }

test('a signal that has fired stops every verb before it begins', async () => {
  await using c = await container('base')
  const signal = AbortSignal.abort()
  for (const call of [
    () => container('base', { signal }).then((made) => made.remove()),
    () => c.run(['true'], { signal }),
    () => c.copy(join(src, 'file'), '/f', { signal }),
    () => c.add(join(src, 'file'), '/f', { signal }),
    () => c.config({ user: 'a', signal }),
    () => c.mount({ signal }),
    () => c.commit('never', { signal }),
  ])
    await assert.rejects(call() as Promise<unknown>, (error) => isAbort(error), String(call))
  assert.equal((await containers(places)).length, 1)
  assert.deepEqual(
    (await images(undefined, places)).flatMap(({ names }) => names).filter((name) => name.includes('never')),
    [],
  )
})

test('a signal ends a running command, and its processes', async () => {
  await using c = await container('base')
  const stopper = new AbortController()
  const mark = `1${process.pid}`
  const running = c.run(['sleep', mark], { signal: stopper.signal, quiet: true })
  await until(async () => (await processes(mark)).length > 0)
  stopper.abort()
  await assert.rejects(running, isAbort)
  await until(async () => (await processes(mark)).length === 0)
  await c.run(['true'])
})

test('a signal ends a fetch and leaves nothing', async () => {
  await using c = await container()
  const server = createServer((_, response) => void response.writeHead(200).write('begin'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stopper = new AbortController()
  server.on('request', () => setTimeout(() => stopper.abort(), 50))
  const { port } = server.address() as AddressInfo
  await assert.rejects(c.add(`http://127.0.0.1:${port}/endless`, '/x', { signal: stopper.signal }), isAbort)
  server.closeAllConnections()
  server.close()
  assert.deepEqual([await listing(c), inTmp()], [[], []])
})

test('a signal ends a copy and a commit at any moment, and both work afterwards', async () => {
  const many = join(src, 'many')
  mkdirSync(many)
  for (let i = 0; i < 3000; i++) writeFileSync(join(many, `${i}`), `${i}`)
  for (const delay of [0, 5, 20, 60]) {
    await using c = await container()
    const soon = () => AbortSignal.timeout(delay)
    await c.copy(many, '/many', { signal: soon() }).catch(onlyAbort)
    await c.copy(many, '/many')
    await c.commit('many', { signal: soon() }).catch(onlyAbort)
    const { id } = await c.commit('many')
    await using next = await container(id)
    assert.equal(await inRoot(next, 'ls many | wc -l'), '3000\n')
  }
  assert.deepEqual(inTmp(), [])
})

test('a from of an archive that is stopped leaves no container, no image and nothing in tmp', async () => {
  await using c = await container('base')
  const archive = join(src, 'base.tar')
  await c.commit(`oci-archive:${archive}`)
  const known = (await containers(places)).length
  for (const delay of [0, 3, 10, 30, 60]) {
    const store = { root: join(src, `store-${delay}/root`), runroot: join(src, `store-${delay}/run`) }
    const made = await container(`oci-archive:${archive}`, { ...store, signal: AbortSignal.timeout(delay) }).catch(
      onlyAbort,
    )
    if (made) await made.remove()
    assert.deepEqual(await containers(store), [])
    assert.deepEqual(existsSync(join(store.root, 'tmp')) ? readdirSync(join(store.root, 'tmp')) : [], [])
  }
  assert.equal((await containers(places)).length, known)
})

test('a script that ends without remove leaves no process', async () => {
  const script = join(src, 'script.mjs')
  const mark = `mark-${process.pid}`
  writeFileSync(
    script,
    `import { from } from '${join(top, 'dist/sdk/index.js')}'
const c = await from('${base}', ${JSON.stringify(places)})
await c.mount()
if (process.argv[3] === 'throw') throw new Error('on purpose')
if (process.argv[3] === 'wait') { console.log('up'); setInterval(() => {}, 1000) }
`,
  )
  for (const how of ['end', 'throw']) await command([process.execPath, script, mark, how], { env: { MARK: mark } })
  const child = spawn(process.execPath, [script, mark, 'wait'], {
    env: { ...process.env, MARK: mark },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  child.kill('SIGKILL')
  await until(async () => withMark(`MARK=${mark}`).length === 0)
})

function isAbort(error: unknown): boolean {
  assert.ok(error instanceof Error)
  assert.ok(
    error.name === 'AbortError' || (error as BuilderError).code === aborted.code,
    `${error.name} ${error.message}`,
  )
  return true
}

function onlyAbort(error: unknown): undefined {
  isAbort(error)
  return undefined
}

function inTmp(): string[] {
  return readdirSync(join(places.root, 'tmp'))
}

async function processes(argument: string): Promise<string[]> {
  return readdirSync('/proc').filter(
    (pid) => /^\d+$/.test(pid) && `\0${contentOf(`/proc/${pid}/cmdline`)}`.endsWith(`\0${argument}\0`),
  )
}

function withMark(mark: string): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && contentOf(`/proc/${pid}/environ`).includes(mark))
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Waits for something that other processes do. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}

import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { type Closure, closureOf } from '../../sdk/distro/closure.js'
import { BuilderError, type ErrorCode } from '../../sdk/errors.js'
import { command, needs, tempDir } from '../lane.js'
import { type ElfParts, elfFile } from './elf-file.js'

// This machine's dynamic loader.
const loader = (await lddFiles('/bin/sh')).find((file) => /\/ld[^/]*\.so/.test(file)) ?? ''

for (const program of ['/bin/sh', '/usr/bin/env', '/bin/bash', process.execPath])
  test(`${program.split('/').at(-1)}: the files that ldd names`, async () => {
    const { files, programs } = await closureOf([program])
    assert.deepEqual(programs, [realpathSync(program)])
    assert.deepEqual([...files].sort(), await lddFiles(program))
  })

test('every path of the result has its links with it', async (t) => {
  const root = tempDir(t)
  place(root, await closureOf(['/bin/sh', '/usr/bin/env']))
  assert.deepEqual(await chroot(root, '/bin/sh', '-c', 'echo $((6 * 7))'), { stdout: '42\n', stderr: '', code: 0 })
  assert.equal((await chroot(root, '/usr/bin/env', 'A=b', '/bin/sh', '-c', 'echo $A')).stdout, 'b\n')
})

test('a C++ program runs in its closure', async (t) => {
  const root = tempDir(t)
  place(root, await closureOf([process.execPath]))
  assert.deepEqual(await chroot(root, process.execPath, '-p', '6 * 7'), { stdout: '42\n', stderr: '', code: 0 })
})

test('a script brings its interpreter, and env the program it will look up', async (t) => {
  const root = tempDir(t)
  const script = join(root, 'hello')
  writeFileSync(script, '#!/usr/bin/env -S A=1 sh\necho "$A" hello\n', { mode: 0o755 })
  const closure = await closureOf([script])
  assert.ok(closure.files.includes(realpathSync('/usr/bin/env')) && closure.files.includes(realpathSync('/bin/sh')))
  const into = tempDir(t)
  place(into, closure)
  assert.equal((await chroot(into, script)).stdout, '1 hello\n')
})

test('a static program needs nothing', async (t) => {
  if (!needs(t, 'busybox')) return
  const busybox = realpathSync('/usr/bin/busybox')
  assert.deepEqual((await closureOf([busybox])).files, [busybox])
})

test('the order in which programs are named changes nothing but programs', async () => {
  const [a, b] = [await closureOf(['/bin/sh', '/usr/bin/env']), await closureOf(['/usr/bin/env', '/bin/sh', '/bin/sh'])]
  assert.deepEqual([a.files, a.links], [b.files, b.links])
  assert.deepEqual(new Set(a.programs), new Set(b.programs))
})

const rules: Record<string, { tree: Record<string, ElfParts>; finds: readonly string[] }> = {
  'RUNPATH with $ORIGIN': {
    tree: { 'bin/p': { needed: ['a.so'], runpath: '$ORIGIN/../lib' }, 'lib/a.so': {} },
    finds: ['lib/a.so'],
  },
  'braces, several folders, the first that has it': {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the loader's own syntax, not TypeScript's
    tree: { 'bin/p': { needed: ['a.so'], runpath: '/none:${ORIGIN}/1:$ORIGIN/2' }, 'bin/1/a.so': {}, 'bin/2/a.so': {} },
    finds: ['bin/1/a.so'],
  },
  'RPATH counts for libraries of libraries': {
    tree: { 'bin/p': { needed: ['a.so'], rpath: '$ORIGIN' }, 'bin/a.so': { needed: ['b.so'] }, 'bin/b.so': {} },
    finds: ['bin/a.so', 'bin/b.so'],
  },
  'RUNPATH makes RPATH not count': {
    tree: {
      'bin/p': { needed: ['a.so'], rpath: '$ORIGIN/1', runpath: '$ORIGIN/2' },
      'bin/1/a.so': {},
      'bin/2/a.so': {},
    },
    finds: ['bin/2/a.so'],
  },
  'a library of another machine is passed over': {
    tree: {
      'bin/p': { needed: ['a.so'], rpath: '$ORIGIN/1:$ORIGIN/2' },
      'bin/1/a.so': { machine: 8 },
      'bin/2/a.so': {},
    },
    finds: ['bin/2/a.so'],
  },
  'a name that a soname answers is not looked for': {
    tree: { 'bin/p': { needed: ['a.so', 'b.so'], runpath: '$ORIGIN' }, 'bin/a.so': { soname: 'b.so' } },
    finds: ['bin/a.so'],
  },
  'libraries that need each other': {
    tree: {
      'bin/p': { needed: ['a.so'], rpath: '$ORIGIN' },
      'bin/a.so': { needed: ['b.so'] },
      'bin/b.so': { needed: ['a.so'] },
    },
    finds: ['bin/a.so', 'bin/b.so'],
  },
}
for (const [title, { tree, finds }] of Object.entries(rules))
  test(title, async (t) => {
    const root = realpathSync(tempDir(t))
    const { files } = await closureOf([writeTree(root, tree)])
    const ours = files.filter((file) => file.startsWith(root)).map((file) => file.slice(root.length + 1))
    assert.deepEqual(ours, ['bin/p', ...finds].sort())
  })

test('RUNPATH of a program does not count for libraries of libraries', async (t) => {
  const tree = { 'bin/p': { needed: ['a.so'], runpath: '$ORIGIN' }, 'bin/a.so': { needed: ['b.so'] }, 'bin/b.so': {} }
  await fails(
    writeTree(tempDir(t), tree),
    'NOT_FOUND',
    /b\.so: \S+\/bin\/p needs this shared library through \S+\/bin\/a\.so/,
  )
})

test('a library that only the cache finds gets a link where the loader always looks', async (t) => {
  const root = realpathSync(tempDir(t))
  const program = writeTree(root, {
    'bin/p': { needed: ['libonlyhere.so.1'] },
    'opt/libonlyhere.so.1': { soname: 'libonlyhere.so.1', needed: ['libbeside.so'], runpath: '$ORIGIN/more' },
    'opt/more/libbeside.so': {},
  })
  writeFileSync(join(root, 'conf'), `${root}/opt\n`)
  const module = new URL('../../sdk/distro/closure.js', import.meta.url).href
  const script = `import('${module}').then((m) => m.closureOf(['${program}'])).then((c) => console.log(JSON.stringify(c.links)))`
  const steps = `/sbin/ldconfig -X -C ${root}/cache -f ${root}/conf && mount --bind ${root}/cache /etc/ld.so.cache && exec "$0" -e "$1"`
  const ran = await command(['unshare', '-r', '-m', 'sh', '-c', steps, process.execPath, script])
  assert.equal(ran.code, 0, ran.stderr)
  const added = (JSON.parse(ran.stdout) as Closure['links']).filter(({ target }) => target.startsWith(root))
  const folder = realpathSync(dirname((await lddFiles('/bin/sh')).find((file) => file.endsWith('/libc.so.6')) ?? ''))
  assert.deepEqual(added, [
    { path: join(folder, 'libonlyhere.so.1'), target: `${root}/opt/libonlyhere.so.1` },
    { path: join(folder, 'more/libbeside.so'), target: `${root}/opt/more/libbeside.so` },
  ])
})

test('what is wrong is said with who needs it', async (t) => {
  const root = tempDir(t)
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(root, name), content)
    return join(root, name)
  }
  await fails(join(root, 'none'), 'NOT_FOUND', /closure \S+\/none: it does not exist; check the path/)
  await fails(root, 'INVALID', /it is not a regular file/)
  await fails(file('text', 'hello'), 'INVALID', /neither an ELF program nor a script/)
  await fails(file('empty', ''), 'INVALID', /neither an ELF program nor a script/)
  await fails(
    file('script', '#!/no/such/shell\n'),
    'NOT_FOUND',
    /\/no\/such\/shell: it does not exist, and \S+\/script needs it/,
  )
  await fails(file('env', '#!/usr/bin/env no-such-program\n'), 'NOT_FOUND', /no-such-program: .*\/env needs it/)
  await fails(file('loader', elfFile({ interpreter: '/no/loader.so' })), 'NOT_FOUND', /\/no\/loader\.so/)
  const missing = file('library', elfFile({ interpreter: loader, needed: ['libnowhere.so.9'] }))
  await fails(missing, 'NOT_FOUND', /libnowhere\.so\.9: \S+\/library needs this shared library/)
})

test('scripts whose interpreters are scripts end after four', async (t) => {
  const root = tempDir(t)
  for (let n = 0; n < 7; n++) writeFileSync(join(root, `${n}`), `#!${n === 6 ? '/bin/sh' : join(root, `${n + 1}`)}\n`)
  await fails(join(root, '0'), 'INVALID', /more than four deep/)
  assert.ok((await closureOf([join(root, '3')])).files.includes(join(realpathSync(root), '6')))
})

test('links that run in a circle', async (t) => {
  const root = tempDir(t)
  symlinkSync('b', join(root, 'a'))
  symlinkSync('a', join(root, 'b'))
  await assert.rejects(closureOf([join(root, 'a')]), BuilderError)
})

test('a hostile ELF file is refused at every length, and with every byte changed', async (t) => {
  const root = tempDir(t)
  const path = join(root, 'p')
  const good = elfFile({ interpreter: loader, needed: ['libc.so.6'], runpath: '$ORIGIN' })
  for (let length = 4; length < good.length; length += 3) {
    writeFileSync(path, good)
    truncateSync(path, length)
    await closureOf([path]).catch((error) => assert.ok(error instanceof BuilderError, String(error)))
  }
  for (let at = 4; at < good.length; at++) {
    const bad = Buffer.from(good)
    bad[at] = 0xff
    writeFileSync(path, bad)
    await closureOf([path]).catch((error) => assert.ok(error instanceof BuilderError, String(error)))
  }
})

async function fails(program: string, code: ErrorCode, message: RegExp): Promise<void> {
  const error = await closureOf([program]).then(
    () => undefined,
    (error) => error,
  )
  assert.ok(error instanceof BuilderError, String(error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, message)
}

// Writes the tree's files; gives the path of bin/p, which gets this machine's loader.
function writeTree(root: string, tree: Record<string, ElfParts>): string {
  for (const [name, parts] of Object.entries(tree)) {
    mkdirSync(join(root, dirname(name)), { recursive: true })
    writeFileSync(join(root, name), elfFile(name === 'bin/p' ? { interpreter: loader, ...parts } : parts))
  }
  return join(root, 'bin/p')
}

async function lddFiles(program: string): Promise<string[]> {
  const { stdout, code, stderr } = await command(['ldd', program])
  assert.equal(code, 0, stderr)
  const paths = stdout.match(/(?<=\s)\/\S+/g) ?? []
  return [...new Set([program, ...paths].map((path) => realpathSync(path)))].sort()
}

// What the copy verb does, in few words.
function place(root: string, { files, links }: Closure): void {
  for (const { path, target } of links) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    rmSync(join(root, path), { force: true })
    symlinkSync(target, join(root, path))
  }
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    copyFileSync(file, join(root, file))
  }
}

function chroot(root: string, ...argv: string[]) {
  const enter = process.getuid?.() === 0 ? [] : ['unshare', '-r']
  return command([...enter, 'chroot', root, ...argv], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
}

import assert from 'node:assert/strict'
import { chmodSync, linkSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { CopyOptions } from '../../sdk/index.js'
import { builder, command, needs, tempDir } from '../lane.js'
import { container, inRoot, listing, places } from '../sdk/rooted.js'

const src = tempDir({ after })
write('a', 'aa')
write('b.txt', 'b', 0o600)
write('c.txt', 'c')
write('.dot', 'd')
write('dir/x', 'x')
write('dir/sub/y', 'y')
write('.hidden/h', 'h')
write('p1/p2/q', 'q')
write('tool', '#!', 0o4755)
write('p3/deep/f', 'f')
chmodSync(join(src, 'p3'), 0o711)
write('v1', '1')
write('v[1]', '2')
write('w[1]', '3')
write('ignore', '*.txt\n!c.txt\n.*\ntool\nlinks\nhard\np1\np3\nv*\nw*\nignore*\n')
write('ignore-deep', 'ignore*\n/dir/sub\nx\n')
mkdirSync(join(src, 'links'), { mode: 0o755 })
symlinkSync('../a', join(src, 'links/relative'))
symlinkSync('/nowhere', join(src, 'links/dangling'))
symlinkSync('a', join(src, 'to-a'))
symlinkSync('dir', join(src, 'to-dir'))
symlinkSync('/nowhere', join(src, 'to-nothing'))
mkdirSync(join(src, 'hard'), { mode: 0o755 })
writeFileSync(join(src, 'hard/one'), '1')
linkSync(join(src, 'hard/one'), join(src, 'hard/two'))
chmodSync(join(src, 'hard/one'), 0o640)

const server = createServer()
before(() => new Promise<void>((resolve) => server.listen(join(src, 'socket'), resolve)))
after(() => server.close())

/** What is in the container before, what is copied how, and what is in it afterwards (what was there before left out). */
interface Row {
  readonly before?: string
  readonly copy: readonly string[]
  readonly options?: CopyOptions
  readonly gives: readonly string[]
}

const dirTo = (name: string, mode = 755) => [
  `${name}/ ${mode} 0:0`,
  `${name}/sub/ 755 0:0`,
  `${name}/sub/y 644 0:0 1`,
  `${name}/x 644 0:0 1`,
]
const people = "mkdir etc; printf 'root:x:0:0::/:\\nweb:x:33:44::/:\\n' >etc/passwd; printf 'staff:x:99:\\n' >etc/group"

const rows: Readonly<Record<string, Row>> = {
  'a file to a name, with the folders it needs': {
    copy: ['a', '/new/place/b'],
    gives: ['new/ 755 0:0', 'new/place/ 755 0:0', 'new/place/b 644 0:0 2'],
  },
  'a file to a folder': { copy: ['a', '/etc/'], gives: ['etc/ 755 0:0', 'etc/a 644 0:0 2'] },
  'a file without a destination to the working folder': { copy: ['a'], gives: ['a 644 0:0 2'] },
  'a file to a folder that is there': {
    before: 'mkdir -m 700 d',
    copy: ['a', '/d'],
    gives: ['d/ 700 0:0', 'd/a 644 0:0 2'],
  },
  'a folder’s content': { copy: ['dir', '/d'], gives: dirTo('d') },
  'a folder with a slash': { copy: ['dir/', '/d/'], gives: dirTo('d') },
  'a folder with a dot': { copy: ['dir/.', '/d'], gives: dirTo('d') },
  'a folder into one that is there, whose mode stays': {
    before: 'mkdir -m 700 d',
    copy: ['dir', '/d'],
    gives: dirTo('d', 700),
  },
  'a folder below, whose mode is the source’s': {
    before: 'mkdir -p d/sub; chmod 700 d/sub',
    copy: ['dir', '/d'],
    gives: dirTo('d'),
  },
  'several sources': {
    copy: ['a', 'b.txt', 'dir', '/d'],
    gives: ['d/ 755 0:0', 'd/a 644 0:0 2', 'd/b.txt 600 0:0 1', 'd/sub/ 755 0:0', 'd/sub/y 644 0:0 1', 'd/x 644 0:0 1'],
  },
  'a glob': { copy: ['*.txt', '/d/'], gives: ['d/ 755 0:0', 'd/b.txt 600 0:0 1', 'd/c.txt 644 0:0 1'] },
  'a glob that fits one file': { copy: ['[b]*', '/d'], gives: ['d 600 0:0 1'] },
  'a glob of folders': { copy: ['d??', '/d'], gives: dirTo('d') },
  'a hidden file and folder': {
    copy: ['.dot', '.hidden', '/d/'],
    gives: ['d/ 755 0:0', 'd/.dot 644 0:0 1', 'd/h 644 0:0 1'],
  },
  'what a link leads to': { copy: ['to-a', '/l'], gives: ['l 644 0:0 2'] },
  'the content of a folder that a link leads to': { copy: ['to-dir', '/l'], gives: dirTo('l') },
  'links in a folder as they are': {
    copy: ['links', '/l'],
    gives: ['l/ 755 0:0', 'l/dangling -> /nowhere', 'l/relative -> ../a'],
  },
  'a set-user-ID bit': { copy: ['tool', '/t'], gives: ['t 4755 0:0 2'] },
  'a set-user-ID bit with another owner': { copy: ['tool', '/t'], options: { chown: '5' }, gives: ['t 4755 5:5 2'] },
  '--chown by number': { copy: ['a', '/x/a'], options: { chown: '5:7' }, gives: ['x/ 755 5:7', 'x/a 644 5:7 2'] },
  '--chown by name': { before: people, copy: ['a', '/x'], options: { chown: 'web' }, gives: ['x 644 33:44 2'] },
  '--chown by names': { before: people, copy: ['a', '/x'], options: { chown: 'web:staff' }, gives: ['x 644 33:99 2'] },
  '--chown by name and number': {
    before: people,
    copy: ['a', '/x'],
    options: { chown: 'web:8' },
    gives: ['x 644 33:8 2'],
  },
  '--chmod octal': {
    copy: ['dir', '/d'],
    options: { chmod: '750' },
    gives: ['d/ 755 0:0', 'd/sub/ 750 0:0', 'd/sub/y 750 0:0 1', 'd/x 750 0:0 1'],
  },
  '--chmod symbolic': {
    copy: ['dir', '/d'],
    options: { chmod: 'u=rwX,go=' },
    gives: ['d/ 755 0:0', 'd/sub/ 700 0:0', 'd/sub/y 600 0:0 1', 'd/x 600 0:0 1'],
  },
  '--chmod with several changes': { copy: ['b.txt', '/b'], options: { chmod: 'a+r,u+x,o-r' }, gives: ['b 740 0:0 1'] },
  '--parents': {
    copy: ['p1/p2/q', '/d/'],
    options: { parents: true },
    gives: ['d/ 755 0:0', 'd/p1/ 755 0:0', 'd/p1/p2/ 755 0:0', 'd/p1/p2/q 644 0:0 1'],
  },
  '--parents of a folder': {
    copy: ['dir/sub', '/d/'],
    options: { parents: true },
    gives: ['d/ 755 0:0', 'd/dir/ 755 0:0', 'd/dir/sub/ 755 0:0', 'd/dir/sub/y 644 0:0 1'],
  },
  '--exclude': { copy: ['dir', '/d'], options: { exclude: ['sub'] }, gives: ['d/ 755 0:0', 'd/x 644 0:0 1'] },
  '--exclude what comes back': {
    copy: ['dir', '/d'],
    options: { exclude: ['*', '!sub/y'] },
    gives: ['d/ 755 0:0', 'd/sub/ 755 0:0', 'd/sub/y 644 0:0 1'],
  },
  '--exclude of all below': {
    copy: ['dir', '/d'],
    options: { exclude: ['**/y'] },
    gives: ['d/ 755 0:0', 'd/sub/ 755 0:0', 'd/x 644 0:0 1'],
  },
  '--exclude of what a pattern finds': {
    copy: ['*.txt', '/d/'],
    options: { exclude: ['b*'] },
    gives: ['d/ 755 0:0', 'd/c.txt 644 0:0 1'],
  },
  '--exclude of several, below what --parents keeps': {
    copy: ['./dir', '/d/'],
    options: { parents: true, exclude: ['dir/x', '**/z'] },
    gives: ['d/ 755 0:0', 'd/dir/ 755 0:0', 'd/dir/sub/ 755 0:0', 'd/dir/sub/y 644 0:0 1'],
  },
  '--parents from a pivot': {
    copy: ['p1/./p2/q', '/d/'],
    options: { parents: true },
    gives: ['d/ 755 0:0', 'd/p2/ 755 0:0', 'd/p2/q 644 0:0 1'],
  },
  '--parents from a pivot at the top': {
    copy: ['./p1/p2/q', '/d/'],
    options: { parents: true },
    gives: ['d/ 755 0:0', 'd/p1/ 755 0:0', 'd/p1/p2/ 755 0:0', 'd/p1/p2/q 644 0:0 1'],
  },
  '--parents from a pivot in a pattern': {
    copy: ['./*1/./*/q', '/d/'],
    options: { parents: true },
    gives: ['d/ 755 0:0', 'd/p2/ 755 0:0', 'd/p2/q 644 0:0 1'],
  },
  '--parents with a pattern of any depth': {
    copy: ['p?/**/[qf]', '/d/'],
    options: { parents: true },
    gives: [
      ...['d/ 755 0:0', 'd/p1/ 755 0:0', 'd/p1/p2/ 755 0:0', 'd/p1/p2/q 644 0:0 1'],
      ...['d/p3/ 711 0:0', 'd/p3/deep/ 755 0:0', 'd/p3/deep/f 644 0:0 1'],
    ],
  },
  '--parents with the modes of folders, and an owner': {
    copy: ['p3/deep', '/d/'],
    options: { parents: true, chown: '5:7' },
    gives: ['d/ 755 5:7', 'd/p3/ 711 5:7', 'd/p3/deep/ 755 5:7', 'd/p3/deep/f 644 5:7 1'],
  },
  'a pattern that fits nothing beside a source that is there': {
    copy: ['a', 'zz*', '/d/'],
    gives: ['d/ 755 0:0', 'd/a 644 0:0 2'],
  },
  'a pattern below a link to a folder': {
    copy: ['to-dir/*', '/d/'],
    gives: ['d/ 755 0:0', 'd/x 644 0:0 1', 'd/y 644 0:0 1'],
  },
  'what a pattern fits, not the name that it is': { copy: ['v[1]', '/d/'], gives: ['d/ 755 0:0', 'd/v1 644 0:0 1'] },
  'a name that is a pattern which fits nothing': { copy: ['w[1]', '/d/'], gives: ['d/ 755 0:0', 'd/w[1] 644 0:0 1'] },
  'a name with its pattern’s signs made plain': { copy: ['v\\[1]', '/d/'], gives: ['d/ 755 0:0', 'd/v[1] 644 0:0 1'] },
  '--link over a link on the way': {
    before: 'mkdir real; ln -s real in',
    copy: ['a', '/in/'],
    options: { link: true },
    gives: ['in/ 755 0:0', 'in/a 644 0:0 2', 'real/ 755 0:0'],
  },
  '--link over a link below': {
    before: 'mkdir -p d real; ln -s /real d/sub',
    copy: ['dir', '/d'],
    options: { link: true },
    gives: [...dirTo('d'), 'real/ 755 0:0'],
  },
  '--link to a folder’s own name': {
    before: 'mkdir -p a/below; echo x >a/below/x',
    copy: ['a', '/a'],
    options: { link: true },
    gives: ['a 644 0:0 2'],
  },
  '--link over a file on the way': {
    before: 'echo x >d',
    copy: ['a', '/d/'],
    options: { link: true, chown: '5:7' },
    gives: ['d/ 755 5:7', 'd/a 644 5:7 2'],
  },
  '--link through a folder, which becomes as a new one': {
    before: 'mkdir -m 700 d; echo x >d/x; chown 5:7 d',
    copy: ['a', '/d/'],
    options: { link: true },
    gives: ['d/ 755 0:0', 'd/a 644 0:0 2', 'd/x 644 0:0 2'],
  },
  '--ignorefile with paths from the context’s top': {
    copy: ['dir', '/d'],
    options: { contextdir: src, ignorefile: join(src, 'ignore-deep') },
    gives: ['d/ 755 0:0', 'd/x 644 0:0 1'],
  },
  '--contextdir': { copy: ['/a', '/x'], options: { contextdir: src }, gives: ['x 644 0:0 2'] },
  '--contextdir that .. cannot leave': {
    copy: ['../../../a', '/x'],
    options: { contextdir: src },
    gives: ['x 644 0:0 2'],
  },
  '--ignorefile': {
    copy: ['.', '/x'],
    options: { contextdir: src, ignorefile: join(src, 'ignore') },
    gives: [
      'x/ 755 0:0',
      'x/a 644 0:0 2',
      'x/c.txt 644 0:0 1',
      'x/dir/ 755 0:0',
      'x/dir/sub/ 755 0:0',
      'x/dir/sub/y 644 0:0 1',
      'x/dir/x 644 0:0 1',
      'x/to-a -> a',
      'x/to-dir -> dir',
      'x/to-nothing -> /nowhere',
    ],
  },
  'through a link to a folder in the container': {
    before: 'mkdir real; ln -s real in',
    copy: ['a', '/in/'],
    gives: ['in -> real', 'real/ 755 0:0', 'real/a 644 0:0 2'],
  },
  'through a link below, which stays': {
    before: 'mkdir -p d real; ln -s /real d/sub',
    copy: ['dir', '/d'],
    gives: ['d/ 755 0:0', 'd/sub -> /real', 'd/x 644 0:0 1', 'real/ 755 0:0', 'real/y 644 0:0 1'],
  },
  'through an absolute link, inside the root': {
    before: 'ln -s /etc evil',
    copy: ['a', '/evil/x'],
    gives: ['etc/ 755 0:0', 'etc/x 644 0:0 2', 'evil -> /etc'],
  },
  'through a link with dots, inside the root': {
    before: 'ln -s ../../../../etc evil',
    copy: ['a', '/evil/x'],
    gives: ['etc/ 755 0:0', 'etc/x 644 0:0 2', 'evil -> ../../../../etc'],
  },
  'over a file': { before: 'echo old >a; chmod 777 a', copy: ['a', '/a'], gives: ['a 644 0:0 2'] },
  'over a link, which is replaced': {
    before: 'echo old >o; ln -s o a',
    copy: ['a', '/a'],
    gives: ['a 644 0:0 2', 'o 644 0:0 4'],
  },
}

for (const [title, { before = ':', copy, options = {}, gives }] of Object.entries(rows)) {
  test(`copies ${title}`, async () => {
    await using c = await container()
    await inRoot(c, `umask 022; ${before}`)
    const earlier = (await listing(c)).filter((line) => line.startsWith('etc/') && before === people)
    const at = (path: string) => (path.startsWith('/') ? path : `${src}/${path}`)
    const sources = copy.length > 1 ? copy.slice(0, -1) : copy
    const { contextdir, parents } = options
    const paths = contextdir === undefined && !parents ? sources.map(at) : sources
    await c.copy(paths, copy.length > 1 ? copy.at(-1) : undefined, parents ? { contextdir: src, ...options } : options)
    assert.deepEqual(
      (await listing(c)).filter((line) => !earlier.includes(line)),
      gives,
    )
  })
}

test('hard links stay linked', async () => {
  await using c = await container()
  await c.copy(join(src, 'hard'), '/h')
  assert.equal(await inRoot(c, "stat -c '%h %a' h/one h/two"), '2 640\n2 640\n')
})

test('a file copied twice under one name is there once', async () => {
  await using c = await container()
  await c.copy([join(src, 'hard/one'), join(src, 'hard/one')], '/h/')
  assert.deepEqual(await listing(c), ['h/ 755 0:0', 'h/one 640 0:0 1'])
})

test('times are kept, in nanoseconds', async () => {
  await using c = await container()
  utimesSync(join(src, 'dir/x'), 0, 1234567890.125)
  await command(['touch', '-d', '@-86400', join(src, 'dir/sub')])
  await c.copy(join(src, 'dir'), '/d')
  assert.equal(await inRoot(c, "stat -c '%.9Y' d/x d/sub"), '1234567890.125000000\n-86400.000000000\n')
})

test('--timestamp is the time of all that is copied', async () => {
  await using c = await container()
  await c.copy(join(src, 'dir'), '/new/d', { timestamp: 7 })
  assert.equal(await inRoot(c, 'stat -c %Y new new/d new/d/x new/d/sub new/d/sub/y'), '7\n'.repeat(5))
})

test('extended attributes of users are kept', async (t) => {
  if (!needs(t, 'getfattr', 'setfattr')) return
  await using c = await container()
  await inRoot(c, 'mkdir from; echo 1 >from/f; setfattr -n user.note -v kept from/f')
  await c.copy('/from', '/to', { from: c.name })
  assert.equal(await inRoot(c, 'getfattr --only-values -n user.note to/f'), 'kept')
})

test('--from keeps owners, of a container and of an image', async () => {
  await using other = await container()
  await inRoot(other, 'mkdir d; echo 1 >d/f; chown 12:34 d/f; chmod 2750 d/f')
  const { id } = await other.commit()
  for (const from of [other.name, id]) {
    await using c = await container()
    await c.copy('d', '/d', { from })
    assert.deepEqual(await listing(c), ['d/ 755 0:0', 'd/f 2750 12:34 2'])
  }
})

test('names that are not UTF-8 are copied byte by byte', async () => {
  await using c = await container()
  const odd = Buffer.from([0x6f, 0xff, 0x64])
  mkdirSync(Buffer.concat([Buffer.from(`${src}/odd-`), odd]), { recursive: true })
  writeFileSync(Buffer.concat([Buffer.from(`${src}/odd-`), odd, Buffer.from('/f-'), odd]), 'x')
  mkdirSync(join(src, 'around'))
  renameSync(Buffer.concat([Buffer.from(`${src}/odd-`), odd]), Buffer.concat([Buffer.from(`${src}/around/`), odd]))
  await c.copy(join(src, 'around'), '/d')
  assert.equal(await inRoot(c, "find d -type f | od -An -c | tr -d ' \\n'"), String.raw`d/o377d/f-o377d\n`)
})

test('names that are not UTF-8 are found by a pattern, alone and as folders', async () => {
  await using c = await container()
  const odd = (text: string) => Buffer.concat([Buffer.from(`${src}/found/${text}`), Buffer.from([0xff, 0xfe])])
  mkdirSync(join(src, 'found'))
  writeFileSync(odd('file-'), 'f')
  mkdirSync(odd('folder-'))
  writeFileSync(Buffer.concat([odd('folder-'), Buffer.from('/g')]), 'g')
  await c.copy(join(src, 'found/f*-*'), '/d/')
  assert.equal(await inRoot(c, "find d -type f | sort | od -An -c | tr -d ' \\n'"), String.raw`d/file-377376\nd/g\n`)
})

test('holes stay holes', async () => {
  await using c = await container()
  assert.equal((await command(['sh', '-c', 'truncate -s 8M holes && echo end >>holes'], { cwd: src })).code, 0)
  await c.copy(join(src, 'holes'), '/h')
  const [size, blocks, end] = (await inRoot(c, 'stat -c "%s %b" h; tail -c4 h')).trim().split(/\s/)
  assert.deepEqual([size, end], [`${(8 << 20) + 4}`, 'end'])
  assert.ok(Number(blocks) < 4096, blocks)
})

test('a fifo is one again', async () => {
  await using c = await container()
  assert.equal((await command(['mkfifo', '-m', '640', join(src, 'fifo')])).code, 0)
  await c.copy(join(src, 'fifo'), '/p')
  assert.equal(await inRoot(c, 'stat -c "%F %a" p'), 'fifo 640\n')
})

test('the digest is that of the content, whoever copies', async () => {
  await using one = await container()
  await using two = await container()
  const first = await one.copy(join(src, 'dir'), '/a')
  assert.deepEqual(await two.copy(join(src, 'dir'), '/b'), first)
  assert.notDeepEqual(await two.copy(join(src, 'a'), '/b/'), first)
})

const refused: Readonly<Record<string, { before?: string; args: readonly string[]; says: string }>> = {
  'a source that is not there': {
    args: ['CTR', 'nope', '/d'],
    says: `copy nope: no such file or folder; paths are taken from ${src}`,
  },
  'a glob that fits nothing': {
    args: ['CTR', 'zz*', '/d'],
    says: `copy zz*: nothing fits; paths are taken from ${src}`,
  },
  'a source with a near miss': {
    args: ['CTR', 'tol', '/d'],
    says: `copy tol: no such file or folder; did you mean tool? paths are taken from ${src}`,
  },
  'patterns that fit nothing, all of them': {
    args: ['CTR', 'yy*', 'zz*', '/d/'],
    says: `copy yy*: nothing fits; paths are taken from ${src}`,
  },
  'a malformed pattern': {
    args: ['CTR', 'a[', '/d'],
    says: 'copy a[: the pattern is malformed; close the [ with ], or write [[] for the character itself',
  },
  'a socket': {
    args: ['CTR', 'socket', '/d'],
    says: 'copy socket: it is a socket, which no image can hold; name files and folders',
  },
  'what the ignore file leaves out': {
    args: ['--contextdir', '.', '--ignorefile', 'ignore', 'CTR', 'tool', '/d'],
    says: 'copy tool: the ignore file leaves it out of the context; bring it back with a line !tool in it',
  },
  'a link that leads nowhere': {
    args: ['CTR', 'to-nothing', '/d'],
    says: `copy to-nothing: the link leads nowhere; paths are taken from ${src}`,
  },
  'a folder over a file': {
    before: 'echo d >d',
    args: ['CTR', 'dir', '/d'],
    says: 'make a directory /d: a file is in the way; remove it first, or choose another destination',
  },
  'a file over a folder': {
    before: 'mkdir a',
    args: ['CTR', 'a', '/'],
    says: 'copy /a: a directory is in the way; remove it first, or choose another destination',
  },
  'an unknown user': { args: ['--chown', 'nobody-here', 'CTR', 'a', '/d'], says: 'nobody-here' },
  'a mode that is none': {
    args: ['--chmod', 'u=q', 'CTR', 'a', '/d'],
    says: 'read mode "u=q": it is neither octal nor symbolic; write for example 755 or u=rwX,go=rX',
  },
  'an ignore file without a context': {
    args: ['--ignorefile', 'ignore', 'CTR', 'a', '/d'],
    says: 'copy --ignorefile: --contextdir is missing; name the folder that the patterns belong to with --contextdir',
  },
  'an ignore file that is not there': {
    args: ['--contextdir', '.', '--ignorefile', 'gone', 'CTR', 'a', '/d'],
    says: 'gone',
  },
  'a source from nowhere': { args: ['--from', 'unknown', 'CTR', 'a', '/d'], says: 'copy --from unknown: ' },
  'no source': { args: ['CTR'], says: 'copy PATH: it is missing (Sources, and the destination last)' },
  'no container': { args: ['unknown', 'a', '/'], says: 'copy unknown: ' },
  'a time that is none': {
    args: ['--timestamp', 'noon', 'CTR', 'a', '/'],
    says: 'copy --timestamp: "noon" is not a number',
  },
  'an owner outside the id map': {
    args: ['--chown', '4000000000', 'CTR', 'a', '/'],
    says: 'outside the id map',
  },
  'a new folder for an owner outside the id map': {
    args: ['--chown', '4000000000', 'CTR', 'a', '/new/'],
    says: 'copy /new: uid 4000000000 of /new is outside the id map',
  },
}

for (const [title, { before = ':', args, says }] of Object.entries(refused)) {
  test(`refuses ${title}`, async () => {
    await using c = await container()
    await inRoot(c, before)
    const earlier = await listing(c)
    const words = [
      '--root',
      places.root,
      '--runroot',
      places.runroot,
      'copy',
      ...args.map((word) => (word === 'CTR' ? c.name : word)),
    ]
    const { stdout, stderr, code } = await builder(words, { cwd: src })
    if (title.endsWith('id map') && process.getuid?.() === 0) return
    assert.deepEqual([stdout, code], ['', 125], stderr)
    assert.match(stderr, /^builder: /)
    assert.ok(stderr.includes(says), stderr)
    assert.deepEqual(
      (await listing(c)).filter((line) => !line.startsWith('d/')),
      earlier,
    )
  })
}

test('stdout is the digest, or nothing with --quiet', async () => {
  await using c = await container()
  const run = (...words: string[]) => builder(['--root', places.root, '--runroot', places.runroot, 'copy', ...words])
  assert.match((await run(c.name, join(src, 'a'), '/')).stdout, /^sha256:[0-9a-f]{64}\n$/)
  assert.equal((await run('-q', c.name, join(src, 'a'), '/')).stdout, '')
})

function write(name: string, content: string, mode = 0o644): void {
  const path = join(src, name)
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o755 })
  writeFileSync(path, content)
  chmodSync(path, mode)
}

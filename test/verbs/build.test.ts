// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what a shell reads
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ExecutionConfig } from '../../sdk/image/config.js'
import { type BuildEvent, type BuildOptions, build, containers, from, inspect, plan } from '../../sdk/index.js'
import { command, tempDir } from '../lane.js'
import { type BuildScene, buildScene } from './build-scene.js'

const folder = tempDir({ after })
let scene: BuildScene

before(async () => {
  scene = await buildScene(folder)
  scene.write('a', 'aa')
  scene.write('dir/x', 'x')
  scene.write('dir/y.log', 'y')
})

/** What lines of a stage on `base` give: what a command prints in the image, or what is in its configuration. */
interface Row {
  readonly lines: string
  readonly options?: BuildOptions
  readonly shows?: string
  readonly prints?: string
  readonly gives?: ExecutionConfig
}

const rows: Readonly<Record<string, Row>> = {
  'COPY and RUN': { lines: 'COPY a /srv/\nRUN cat /srv/a >/b', shows: 'cat /b', prints: 'aa' },
  'a folder’s content': { lines: 'COPY dir /d', shows: 'ls /d', prints: 'x\ny.log' },
  'a heredoc as a file': { lines: 'ARG V=1\nCOPY <<EOF /f\nv $V\nEOF', shows: 'cat /f', prints: 'v 1' },
  'a heredoc as a script': { lines: 'RUN <<EOF\necho 1 >/f\necho 2 >>/f\nEOF', shows: 'cat /f', prints: '1\n2' },
  'a heredoc as a program': {
    lines: 'RUN <<EOF\n#!/bin/sh\necho $0 >/f\nEOF',
    shows: 'cat /f',
    prints: '/dev/pipes/EOF',
  },
  'a heredoc behind a command': { lines: 'RUN cat >/f <<EOF\nhere\nEOF', shows: 'cat /f', prints: 'here' },
  'ENV and ARG in a RUN': {
    lines: 'ENV A=1\nARG B=2 C\nRUN echo "$A $B $C $https_proxy" >/f',
    options: { buildArg: ['C=3', 'https_proxy=p', 'UNUSED=x'] },
    shows: 'cat /f; echo ${B-unset}',
    prints: '1 2 3 p\nunset',
  },
  'WORKDIR that is made, and its owner': {
    lines: 'USER 7:8\nWORKDIR /w/v\nRUN pwd >f\nUSER 0',
    shows: 'stat -c "%n %u:%g" /w/v /w/v/f; cat /w/v/f',
    prints: '/w/v 7:8\n/w/v/f 7:8\n/w/v',
  },
  SHELL: { lines: 'SHELL ["/bin/sh", "-xc"]\nRUN true >/f', shows: 'cat /f', prints: '' },
  'an exec form': { lines: 'RUN ["touch", "/a b"]', shows: 'ls / | head -1', prints: 'a b' },
  'several stages': {
    lines: 'RUN echo 1 >/f\nFROM base\nCOPY --from=0 /f /g\nCOPY --from=base /bin/busybox /h',
    shows: 'cat /g; test -e /h && echo yes',
    prints: '1\nyes',
  },
  'a stage on a stage': {
    lines: 'RUN echo 1 >/f\nFROM first AS second\nRUN echo 2 >>/f',
    shows: 'cat /f',
    prints: '1\n2',
  },
  'an image in RUN --mount': {
    lines: 'RUN echo 1 >/f\nFROM base\nRUN --mount=type=bind,from=first,source=/f,target=/m cat /m >/g',
    shows: 'cat /g; test -e /m || echo gone',
    prints: '1\ngone',
  },
  'the context in RUN --mount': {
    lines: 'RUN --mount=target=/m cat /m/a >/g',
    shows: 'cat /g',
    prints: 'aa',
  },
  'a named context': {
    lines: 'COPY --from=other x /f',
    options: { buildContext: [`other=${join(folder, 'context/dir')}`] },
    shows: 'cat /f',
    prints: 'x',
  },
  'a target': {
    lines: 'RUN echo 1 >/f\nFROM nowhere/at/all',
    options: { target: 'first' },
    shows: 'cat /f',
    prints: '1',
  },
  'the configuration': {
    lines: 'CMD ["a"]\nENTRYPOINT ["b"]\nEXPOSE 80\nLABEL l=1\nUSER u\nVOLUME /v\nSTOPSIGNAL SIGINT',
    options: { label: ['m=2'], annotation: ['n=3'], unsetenv: ['PATH'] },
    gives: {
      Cmd: ['a'],
      Entrypoint: ['b'],
      ExposedPorts: { '80/tcp': {} },
      Labels: { l: '1', m: '2' },
      User: 'u',
      Volumes: { '/v': {} },
      StopSignal: 'SIGINT',
    },
  },
  '--env': { lines: 'RUN echo $E >/f', options: { env: ['E=5'] }, shows: 'cat /f; echo $E', prints: '5\n5' },
}

const alsoWithout = [
  'COPY and RUN',
  'several stages',
  'a stage on a stage',
  'the configuration',
  'WORKDIR that is made, and its owner',
]

for (const [title, row] of Object.entries(rows))
  for (const layers of alsoWithout.includes(title) ? [true, false] : [true])
    test(`builds ${title}${layers ? '' : ' (--layers=false)'}`, async () => {
      const { id } = await scene.build(`FROM base AS first\n${row.lines}`, { layers, ...row.options })
      if (row.shows !== undefined) assert.equal(await scene.inImage(id, row.shows), row.prints)
      if (row.gives) assert.deepEqual((await inspect(id, { ...scene.places, type: 'image' })).OCIv1.config, row.gives)
      assert.deepEqual(await containers(scene.places), [])
    })

test('without layers the image is the one that the verbs give, and of one layer', async () => {
  const lines = 'FROM base\nCOPY --chmod=600 a /a\nENV A=1\nRUN echo 1 >/f\nCMD ["cat", "/f"]\nLABEL l=1'
  const { id } = await scene.build(lines, { layers: false, timestamp: 1700000000 })
  await using c = await from('base', scene.places)
  await c.copy(join(scene.context, 'a'), '/a', { chmod: '600' })
  await c.config({ env: ['A=1'] })
  await c.run(['/bin/sh', '-c', 'echo 1 >/f'], { quiet: true })
  await c.config({ cmd: ['cat', '/f'], label: ['l=1'] })
  assert.equal((await c.commit(undefined, { timestamp: 1700000000, quiet: true })).id, id)
})

test('the same input gives the same image, from the cache and not', async () => {
  const lines = 'FROM base AS b\nRUN echo 1 >/f\nFROM b\nCOPY a /\nCMD ["x"]'
  const options = { timestamp: 1700000000 }
  const { id } = await scene.build(lines, options)
  assert.equal((await scene.build(lines, options)).id, id)
  assert.equal((await scene.build(lines, { ...options, noCache: true })).id, id)
})

test('a build that is all in the cache gives the same image again, without an epoch too', async () => {
  const lines = 'FROM base\nENV A=1\nRUN echo cached >/f\nCMD ["x"]'
  assert.equal((await scene.build(lines)).id, (await scene.build(lines)).id)
})

/** The states of the steps of a build, by their text. */
async function states(lines: string, options: BuildOptions = {}): Promise<Record<string, string>> {
  const texts = new Map<string, string>()
  const found: Record<string, string> = {}
  const onEvent = (event: BuildEvent) => {
    if (event.type === 'plan')
      for (const { steps } of event.stages) for (const { id, text } of steps) texts.set(id, text)
    if (event.type === 'step-end') found[texts.get(event.step) ?? event.step] = event.state
  }
  await scene.build(lines, { ...options, onEvent })
  return found
}

test('only what changed is executed again', async () => {
  scene.write('changing', '1')
  const lines = 'FROM base\nRUN echo before\nCOPY changing /c\nRUN cat /c'
  const run = { 'RUN echo before': 'done', 'COPY changing /c': 'done', 'RUN cat /c': 'done' }
  const { 'FROM base': _, ...first } = await states(lines)
  assert.deepEqual(first, run)
  utimesSync(join(scene.context, 'changing'), 1e9, 1e9)
  const { 'FROM base': __, ...again } = await states(lines)
  assert.deepEqual(again, { 'RUN echo before': 'hit', 'COPY changing /c': 'hit', 'RUN cat /c': 'hit' })
  scene.write('changing', '2')
  const { 'FROM base': ___, ...third } = await states(lines)
  assert.deepEqual(third, { ...run, 'RUN echo before': 'hit' })
})

test('--no-cache-filter executes the steps of a stage', async () => {
  const lines = 'FROM base AS x\nRUN echo x1\nFROM base AS y\nRUN echo y1\nCOPY --from=x /bin/sh /z'
  await states(lines)
  const again = await states(lines, { noCacheFilter: ['y'] })
  assert.deepEqual([again['RUN echo x1'], again['RUN echo y1']], ['hit', 'done'])
})

test('--explain says what differs', async () => {
  scene.write('explained', '1')
  const lines = 'FROM base\nCOPY explained /e'
  await scene.build(lines)
  scene.write('explained', '2')
  const { stderr } = await scene.command(lines, ['--explain', '--progress', 'none'])
  assert.match(stderr, /^builder: COPY explained \/e: executed: sources changed: was sha256:\w+, is sha256:\w+$/m)
})

test('stages that do not need each other are built at the same time', async () => {
  // Each waits for what the other does: one after the other would never end.
  scene.write('meet/.keep', '')
  const meet = (own: string, other: string) =>
    `RUN touch /meet/${own}; i=0; while ! test -e /meet/${other}; do sleep 0.05; i=$((i+1)); test $i -lt 400; done`
  const lines = `FROM base AS x\n${meet('x', 'y')}\nFROM base AS y\n${meet('y', 'x')}\nFROM base\nCOPY --from=x /bin/sh /1\nCOPY --from=y /bin/sh /2`
  await scene.build(lines, { noCache: true, volume: [`${join(scene.context, 'meet')}:/meet`] })
})

test('many stages that wait for a place are no leak', async () => {
  const stages = Array.from({ length: 14 }, (_, i) => `FROM base AS s${i}\nRUN : many ${i}`)
  const copies = stages.map((_, i) => `COPY --from=s${i} /bin/sh /s${i}`)
  const { code, stderr } = await scene.command([...stages, 'FROM scratch', ...copies].join('\n'), ['-q', '--jobs', '1'])
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
})

test('an epoch is written in digits alone', async () => {
  for (const epoch of [' ', '1e9', '0x10', '+1', '1.0']) {
    const { code, stderr } = await scene.command('FROM base', [], { env: { SOURCE_DATE_EPOCH: epoch } })
    assert.equal(code, 125, epoch)
    assert.match(stderr, /^builder: build SOURCE_DATE_EPOCH=.*: it is not a number of seconds since 1970; set it/)
  }
})

test('stages that nothing needs are not built', async () => {
  const lines = 'FROM base AS broken\nRUN false\nFROM base'
  await scene.build(lines)
  await assert.rejects(scene.build(lines, { skipUnusedStages: false }), { code: 'RUN', exitCode: 1 })
})

test('a command that fails: its place, its end, its exit code; what runs beside it is stopped', async () => {
  const lines = 'FROM base AS a\nRUN sleep 60\nFROM base\nRUN echo told >&2; exit 7\nCOPY --from=a /bin/sh /s'
  const { code, stdout, stderr } = await scene.command(lines, ['--no-cache', '--progress', 'plain'])
  assert.deepEqual({ code, stdout }, { code: 7, stdout: '' })
  assert.match(
    stderr,
    /^builder: build standard input:4.*: the command ended with exit code 7\n {2}4 \| RUN echo told >&2; exit 7\n/m,
  )
  assert.match(stderr, /^ {2}told$/m)
  assert.match(stderr, /RUN sleep 60\n[\s\S]*stopped/)
  assert.deepEqual(await containers(scene.places), [])
})

const refused: Readonly<Record<string, { lines: string; options?: BuildOptions; says: RegExp }>> = {
  'a mistyped instruction': {
    lines: 'FROM base\nCPOY a /',
    says: /:2:1: .*CPOY.*did you mean COPY\?\n {2}2 \| CPOY a \/\n {4}\| \^{4}/,
  },
  'a missing source': { lines: 'FROM base\nCOPY nope /', says: /:2.*: copy nope: no such file or folder/ },
  'a missing image': {
    lines: 'FROM nope/nope:1',
    options: { pull: 'never' },
    says: /:1.*: nope\/nope:1: there is no such image in the store/,
  },
  'a stage’s name mistyped': {
    lines: 'FROM base AS build\nFROM base\nCOPY --from=biuld / /',
    options: { pull: 'never' },
    says: /:3.*: biuld: .*did you mean the stage build\?/,
  },
  'a stage that is not there': { lines: 'FROM base\nCOPY --from=4 / /', says: /there is no stage 4/ },
  'a cycle': {
    lines: 'FROM base AS a\nCOPY --from=b / /\nFROM base AS b\nCOPY --from=a / /\nFROM a',
    says: /stages wait for each other/,
  },
  'a target that is not there': {
    lines: 'FROM base',
    options: { target: 'x' },
    says: /build --target x: the file has no such stage/,
  },
  'a program that is not there': { lines: 'FROM base\nRUN ["nope"]', says: /:2.*: run nope: there is no such command/ },
  'a user that is not there': { lines: 'FROM base\nUSER nobody\nRUN true', says: /:3.*user "nobody": it is not in/ },
  'an ARG without a name': {
    lines: 'FROM base',
    options: { buildArg: ['=x'] },
    says: /build --build-arg =x: it has no name/,
  },
  'a wrong number of jobs': { lines: 'FROM base', options: { jobs: -1 }, says: /--jobs/ },
  'a wrong epoch': {
    lines: 'FROM base',
    options: { timestamp: -1 },
    says: /timestamp -1: it is not a number of seconds/,
  },
  'a secret without a name, also when no step asks for it': {
    lines: 'FROM base',
    options: { secret: ['token'] },
    says: /read secret "token": .*write --secret id=NAME,src=FILE/,
  },
  'insecure without leave': { lines: 'FROM base\nRUN --security=insecure true', says: /add --allow security.insecure/ },
  ...Object.fromEntries(
    (
      [
        ['a file for the ID that is a folder', { iidfile: '/proc' }, /build --iidfile \/proc: it is a folder/],
        [
          'a place for metadata below a file',
          { metadataFile: '/proc/version/x' },
          /--metadata-file .*version is no folder/,
        ],
        [
          'an archive where nothing can be written',
          { output: ['type=oci,dest=/proc/sys/a/b'] },
          /--output \/proc\/sys\/a: /,
        ],
        ['a host without an address', { addHost: ['db'] }, /add host "db": it is not NAME:ADDRESS/],
        ['a name server that is none', { dns: ['here'] }, /set name server "here"/],
        ['a limit that is none', { ulimit: ['nofle=1'] }, /did you mean nofile/],
      ] as const
    ).map(([title, options, says]) => [
      `${title}, before anything is built`,
      { lines: 'FROM base\nRUN false', options: options as BuildOptions, says },
    ]),
  ),
  'a preprocessor flag': {
    lines: 'FROM base',
    options: { cppFlag: ['-X'] },
    says: /build --cpp-flag -X: the preprocessor does not know it/,
  },
  'what .dockerignore leaves out': {
    lines: 'FROM base\nCOPY hidden /',
    says: /:2.*hidden: the ignore file leaves it out of the context; bring it back/,
  },
}

for (const [title, { lines, options = {}, says }] of Object.entries(refused))
  test(`refuses ${title}`, async () => {
    scene.write('.dockerignore', 'hidden\ndir/*.log\n')
    scene.write('hidden', 'h')
    await assert.rejects(scene.build(lines, { quiet: true, ...options }), { message: says })
    rmSync(join(scene.context, '.dockerignore'))
    assert.deepEqual(await containers(scene.places), [])
  })

test('.dockerignore counts from the top of the context, in a COPY of a folder too', async () => {
  scene.write('.dockerignore', 'dir/*.log\n')
  const { id } = await scene.build('FROM base\nCOPY dir /d\nCOPY . /e')
  rmSync(join(scene.context, '.dockerignore'))
  assert.equal(await scene.inImage(id, 'ls /d /e/dir'), '/d:\nx\n\n/e/dir:\nx')
})

test('no link leads out of the context', async () => {
  symlinkSync('/etc/hostname', join(scene.context, 'out'))
  const message = /copy out: (?:the link leads nowhere|no such file)/
  await assert.rejects(scene.build('FROM base\nCOPY out /', { quiet: true }), { message })
  rmSync(join(scene.context, 'out'))
})

test('triggers of a base image are executed, and are gone then', async () => {
  await scene.build('FROM base\nONBUILD COPY a /triggered\nONBUILD RUN cat /triggered >/again', { tag: ['trigger'] })
  const { id } = await scene.build('FROM trigger\nRUN cat /again >/last')
  assert.equal(await scene.inImage(id, 'cat /last'), 'aa')
  assert.equal((await inspect(id, { ...scene.places, type: 'image' })).OCIv1.config?.OnBuild, undefined)
})

test('several names, and files that tell of the image', async () => {
  const files = { iidfile: join(folder, 'iid'), metadataFile: join(folder, 'json') }
  const { id } = await scene.build('FROM base\nRUN echo named >/f', { tag: ['one', 'two:2'], ...files })
  assert.equal(readFileSync(join(folder, 'iid'), 'utf8'), `sha256:${id}`)
  const metadata = JSON.parse(readFileSync(join(folder, 'json'), 'utf8'))
  assert.equal(metadata['containerimage.config.digest'], `sha256:${id}`)
  assert.equal(metadata['image.name'], 'localhost/one:latest,localhost/two:2')
  assert.equal((await inspect('two:2', { ...scene.places, type: 'image' })).FromImageID, id)
})

test('--squash makes one layer of all', async () => {
  const { id } = await scene.build('FROM base\nRUN echo 1 >/f\nRUN rm /bin/dd', { squash: true })
  const { OCIv1 } = await inspect(id, { ...scene.places, type: 'image' })
  assert.equal(OCIv1.rootfs.diff_ids.length, 1)
  assert.equal(await scene.inImage(id, 'cat /f; test -e /bin/dd || echo gone'), '1\ngone')
})

test('a secret is nowhere but in the command that was given it', async () => {
  const secret = 'a-very-secret-word'
  scene.write('../secret', secret)
  const given = ['--secret', `id=s,src=${join(scene.context, '../secret')}`]
  const run = 'RUN --mount=type=secret,id=s cat /run/secrets/s; cat /run/secrets/s | wc -c >/length || true'
  const { code, stdout, stderr } = await scene.command(`FROM base\n${run}`, ['--progress', 'plain', ...given])
  rmSync(join(scene.context, '../secret'))
  assert.equal(code, 0, stderr)
  assert.ok(!`${stdout}${stderr}`.includes(secret), stderr)
  const found = await command(['grep', '-rl', secret, scene.store])
  assert.equal(found.stdout, '')
})

test('--check says what should be better, and nothing is built', async () => {
  const { code, stdout } = await scene.command('FROM base AS X\nRUN false', ['--check'])
  assert.match(stdout, /^standard input:1: StageNameCasing: /)
  assert.equal(code, 0)
  const strict = '# check=error=true\nFROM base AS X'
  assert.equal((await scene.build(strict, { check: true })).exitCode, 1)
  const message = /StageNameCasing: .*; the file says # check=error=true/
  await assert.rejects(scene.build(strict, { quiet: true }), { message })
})

test('a Containerfile.in is preprocessed, and a mistake in an include is told with its place', async () => {
  const write = (name: string, text: string) => scene.write(`../in/${name}`, text)
  write('Containerfile.in', '#include "part"\nRUN echo WORD >/f\n')
  write('part', '#define WORD hello\nFROM base\n')
  const context = join(scene.context, '../in')
  const { id } = await build(context, { ...scene.places, quiet: true })
  assert.equal(await scene.inImage(id, 'cat /f'), 'hello')
  write('part', 'FROM base\nRUNN true\n')
  const message = /part:2:1: .*did you mean RUN\?[\s\S]*included from \S*Containerfile\.in:1/
  await assert.rejects(build(context, { ...scene.places, quiet: true }), { message })
})

test('a plan is told without building', async () => {
  scene.write('planned', 'FROM base AS a\nRUN echo planned\nFROM base\nCOPY --from=a /bin/sh /x\n')
  const file = join(scene.context, 'planned')
  const text = await scene.said('plan', file)
  assert.match(text, /^a \(for linux\/\w+\)\n[\s\S]*RUN echo planned[\s\S]*\n1 \(for linux\/\w+; after a\)/)
  assert.match(await scene.said('plan', '--format', 'svg', file), /^<svg /)
  const stages = await plan(file, scene.places)
  assert.deepEqual(
    stages.map(({ id, needs }) => [id, needs]),
    [
      ['a', []],
      ['1', ['a']],
    ],
  )
})

test('from TypeScript: the result, the events, an error with the end of the output', async () => {
  scene.write('Containerfile', 'FROM base\nARG CODE=0\nRUN echo script; exit $CODE\n')
  const events: BuildEvent[] = []
  const made = await build(scene.context, {
    ...scene.places,
    tag: ['script'],
    onEvent: (event) => void events.push(event),
  })
  assert.deepEqual(made.names, ['localhost/script:latest'])
  assert.equal(events[0]?.type, 'plan')
  assert.deepEqual(events.at(-1)?.type, 'image')
  const failing = build(scene.context, { ...scene.places, quiet: true, buildArg: ['CODE=3'] })
  await assert.rejects(failing, { code: 'RUN', exitCode: 3, stdout: 'script\n' })
  rmSync(join(scene.context, 'Containerfile'))
})

test('a build that is stopped leaves nothing', async () => {
  scene.write('Containerfile', 'FROM base\nRUN echo begun; sleep 60\n')
  const stopper = new AbortController()
  const stopped = build(scene.context, {
    ...scene.places,
    noCache: true,
    signal: stopper.signal,
    onEvent: (event) => event.type === 'step-output' && stopper.abort(),
  })
  await assert.rejects(stopped, { code: 'ABORTED' })
  rmSync(join(scene.context, 'Containerfile'))
  assert.deepEqual(await containers(scene.places), [])
  assert.deepEqual(readdirSync(join(scene.store, 'root/tmp')), [])
  assert.equal(
    existsSync(join(scene.store, 'run/runs')) && readdirSync(join(scene.store, 'run/runs')).length > 0,
    false,
  )
})

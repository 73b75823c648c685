import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { BuildEvent } from '../../sdk/containerfile/event.js'
import { quoteWord } from '../../sdk/image/words.js'
import { eventually } from '../bin/in-session.js'
import { builder, needs, tempDir, top } from '../lane.js'
import { openPage } from './browser.js'
import { onTerminal } from './terminal.js'

const store = tempDir({ after })
const folder = tempDir({ after })
const context = join(folder, 'context')

const containerfile = `FROM scratch AS base
COPY busybox /bin/busybox
SHELL ["/bin/busybox", "sh", "-c"]
RUN echo first; echo second >&2; /bin/busybox head -c 5000 /dev/zero >/made
FROM base
ARG CODE
RUN --mount=type=tmpfs,target=/scratch echo "at work"; exit $CODE
`

before(async () => {
  const { default: fs } = await import('fs-extra')
  fs.mkdirpSync(context)
  copyFileSync('/bin/busybox', join(context, 'busybox'))
  writeFileSync(join(context, 'Containerfile'), containerfile)
})

const build = (...args: readonly string[]) => builder(['build', ...args, context], { store, cwd: folder })

const failing = `RUN --mount=type=tmpfs,target=/scratch echo "at work"; exit $CODE`

test('lines for a pipe: prefixed, in order, with times; then what the cache had', async (t) => {
  if (!needs(t, 'busybox')) return
  const { stdout, stderr, code } = await build('--build-arg', 'CODE=0', '-t', 'watched')
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^[0-9a-f]{64}\n$/)
  const lines = stderr
    .replace(/\b[\d.]+ s\b/g, 'TIME')
    .split('\n')
    .filter((line) => !line.startsWith('['))
  assert.deepEqual(lines.slice(-3), [
    `build: image ${stdout.slice(0, 12)} localhost/watched:latest for ${platformOf(stderr)}`,
    'build: 7 steps, in TIME',
    '',
  ])
  const step = stderr.split('\n').filter((line) => line.startsWith('[base 4/4]'))
  assert.match(
    step.join('\n'),
    /^\[base 4\/4\] RUN echo first.*\n(\[base 4\/4\] {3}(first|second)\n){2}\[base 4\/4\] done in [\d.]+ s$/,
  )
  const again = await build('--build-arg', 'CODE=0', '-t', 'watched')
  assert.equal(again.stdout, stdout)
  assert.match(again.stderr, /^\[base 4\/4\] CACHED$/m)
  assert.match(again.stderr, /^build: 7 steps, 3 CACHED, in /m)
})

const platformOf = (stderr: string) => / for (\S+)$/m.exec(stderr)?.[1]

test('a line of JSON for each event, and nothing else', async (t) => {
  if (!needs(t, 'busybox')) return
  const { stderr, stdout } = await build('--progress=json', '--build-arg', 'CODE=0')
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BuildEvent)
  assert.equal(events[0]?.type, 'plan')
  const last = events.at(-1)
  assert.ok(last?.type === 'image' && last.id === stdout.trim())
})

describe('a step that fails', () => {
  test('-q: its output, command, exit code, and the place in the file', async (t) => {
    if (!needs(t, 'busybox')) return
    const { stderr, stdout, code } = await build('-q', '--build-arg', 'CODE=7')
    assert.equal(code, 7)
    assert.equal(stdout, '')
    assert.equal(
      stderr.replace(/after [\d.]+ s/, 'after TIME'),
      `[1 3/3] ${failing}: exit code 7 after TIME
  at work
builder: build context/Containerfile:7: the command ended with exit code 7
  7 | ${failing}
`,
    )
  })
  test('--on-failure=shell without a terminal is said before anything is done', async (_t) => {
    const { stderr, code } = await build('--on-failure=shell', '--build-arg', 'CODE=7')
    assert.equal(code, 125)
    assert.equal(
      stderr,
      `builder: build --on-failure=shell: there is no terminal for a shell; leave it out, or start the build at a terminal\nSee builder build --help\n`,
    )
  })
  for (const [where, words] of [
    ['by itself', []],
    ['in a session', ['unshare', join(top, 'bin/builder')]],
  ] as const)
    test(`--on-failure=shell, ${where}: the step's container, its mounts and variables; then its exit code, and nothing is left`, async (t) => {
      if (!needs(t, 'tmux', 'busybox')) return
      const places = ['--root', join(store, 'root'), '--runroot', join(store, 'run')]
      const line = [
        join(top, 'bin/builder'),
        ...places,
        ...words,
        'build',
        '-q',
        '--on-failure=shell',
        '--build-arg',
        'CODE=7',
        context,
      ]
      const terminal = await onTerminal(t, line.map(quoteWord).join(' '), { columns: 150, rows: 30 })
      await terminal.until(/ # $|\$ $| #$/)
      await terminal.press(
        'echo "made $CODE $(/bin/busybox grep -c scratch /proc/mounts) $(/bin/busybox wc -c </made)"',
        'Enter',
      )
      await terminal.until(/^made 7 1 5000$/m)
      // What ^C ends is a command in the shell, neither the shell nor the build.
      await terminal.press('echo begun; /bin/busybox sleep 1000', 'Enter')
      await terminal.until(/^begun$/m)
      await terminal.press('C-c')
      await terminal.press('echo "still $((40 + 2))"', 'Enter')
      await terminal.until(/^still 42$/m)
      await terminal.press('exit 3', 'Enter')
      const rows = (await terminal.until(/exit=7/)).join('\n')
      assert.match(rows, /the command ended with exit code 7/)
      const left = () => ['containers', 'tmp'].flatMap((name) => readdirSync(join(store, 'root', name)))
      await eventually(() => left().length === 0, 'the end of the container')
    })
})

describe('--report', () => {
  test('of a build: the page names its image, layers and biggest files', async (t) => {
    if (!needs(t, 'busybox', 'chromium')) return
    const { code, stderr, stdout } = await build('-q', '--build-arg', 'CODE=0', '--report', 'pages/good.html')
    assert.equal(code, 0, stderr)
    const page = await openPage(t, join(folder, 'pages/good.html'))
    assert.deepEqual(page.complaints, [])
    assert.match(await page.value(`document.querySelector('.totals').innerText`), new RegExp(stdout.trim()))
    const layers = await page.value<string[]>(
      `[...document.querySelectorAll('table.layers > tbody > tr')].map((row) => row.textContent)`,
    )
    assert.equal(layers.length, 2)
    assert.match(layers[0] ?? '', /COPY busybox \/bin\/busybox\s*1 file[\s\S]*\/bin\/busybox/)
    assert.match(layers[1] ?? '', /RUN echo first[\s\S]*5 KB\s*\/made/)
  })
  test('of a build that fails', async (t) => {
    if (!needs(t, 'busybox')) return
    const { code } = await build('-q', '--build-arg', 'CODE=7', '--report', 'bad.html')
    assert.equal(code, 7)
    const page = readFileSync(join(folder, 'bad.html'), 'utf8')
    assert.match(page, /Why it failed[\s\S]*the command ended with exit code 7[\s\S]*at work/)
  })
  test('of a file that is wrong', async () => {
    writeFileSync(join(folder, 'wrong'), 'FROM scratch\nCPOY a b\n')
    const { code } = await builder(['build', '-q', '-f', join(folder, 'wrong'), '--report', 'wrong.html', context], {
      store,
      cwd: folder,
    })
    assert.equal(code, 125)
    assert.match(readFileSync(join(folder, 'wrong.html'), 'utf8'), /CPOY/)
  })
  test('where none can be written, nothing is built', async () => {
    const { stderr, code } = await build('-q', '--report', '.', '--build-arg', 'CODE=7')
    assert.equal(code, 125)
    assert.equal(
      stderr,
      'builder: build --report .: it is a directory; name a file, such as build.html\nSee builder build --help\n',
    )
    assert.equal(existsSync(join(folder, 'build.html')), false)
  })
})

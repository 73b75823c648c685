import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { type FixtureProject, fixtureProject } from './fixtures/project.js'

let project: FixtureProject
before(async () => {
  project = await fixtureProject()
})
after(() => project[Symbol.asyncDispose]())

describe('standard output', () => {
  const cases: [string, string][] = [
    ['print text', 'text\n'],
    ['print line', 'line\n'],
    ['print nothing', ''],
    ['print list', '[\n  "a",\n  {\n    "b": 1\n  }\n]\n'],
    ['from x -q --env A=1', '{"image":"x","hasSignal":true,"quiet":true,"env":["A=1"]}\n'],
    ['create x', '{"image":"x","hasSignal":true}\n'],
    ['--root /r --log-level=info from x', '{"image":"x","hasSignal":true,"root":"/r","logLevel":"info"}\n'],
    ['from --root /r x', '{"image":"x","hasSignal":true,"root":"/r"}\n'],
    ['--root /r from --root /s x', '{"image":"x","hasSignal":true,"root":"/s"}\n'],
    ['manifest create l a', 'l+a\n'],
    ['manifest push a b', ''],
    ['--version', 'builder 1.2.3\n'],
    ['-v', 'builder 1.2.3\n'],
  ]
  for (const [line, stdout] of cases) it(line, () => assert.deepEqual(run(line), { stdout, stderr: '', status: 0 }))

  it('prints the command of run as it was given', () => {
    const { stdout } = run('run -t c ls --tty -- x')
    assert.deepEqual(JSON.parse(stdout), { container: 'c', command: ['ls', '--tty', '--', 'x'], tty: true })
  })

  it('comes through a slow pipe whole', () => {
    const script = 'builder print 8 | { sleep 0.2; wc -c; }'
    assert.equal(shell(script).stdout.trim(), '8000001')
  })

  it('comes through a pipe that does not block whole', async () => {
    const child = spawn(process.execPath, [project.main, 'print', '4'], { stdio: ['ignore', 'pipe', 'inherit'] })
    let length = 0
    for await (const chunk of child.stdout) length += (chunk as Buffer).length
    assert.equal(length, 4_000_001)
  })

  it('may be closed by its reader, which is no failure', () => {
    assert.deepEqual(shell('{ builder print 8; echo "status $?" >&2; } | head -c 3'), {
      stdout: 'xxx',
      stderr: 'status 0\n',
    })
  })

  it('may be a full disk, which is one', {
    skip: spawnSync('test', ['-w', '/dev/full']).status !== 0 && '/dev/full',
  }, () => {
    assert.deepEqual(shell('builder print text >/dev/full; echo $?'), {
      stdout: '125\n',
      stderr:
        'builder: write standard output: the disk is full; free some space (builder prune, builder rmi) and try again\n',
    })
  })
})

describe('exit codes', () => {
  const cases: [string, number][] = [
    ['run c exit 0', 0],
    ['run c exit 42', 42],
    ['fail known', 125],
    ['fail bug', 125],
    ['from', 125],
    ['help', 0],
    ['', 0],
  ]
  for (const [line, status] of cases) it(line || 'no words', () => assert.equal(run(line).status, status))
})

describe('messages', () => {
  const cases: [string, string][] = [
    ['fail known', 'builder: fail a\\x1b[2Jb: it was asked to\n'],
    ['fail usage', 'builder: fail a\\x1b[2Jb: it was asked to\nSee builder fail --help\n'],
    ['fail system', 'builder: fail /no/such/file: it does not exist; check the name\n'],
    [
      'fail bug',
      'builder: TypeError: x is not a function\nThis is a bug in builder. Please report it with the command line that led to it.\nThe flag --log-level=debug shows where it happened.\n',
    ],
    [
      'fail word',
      'builder: a word\nThis is a bug in builder. Please report it with the command line that led to it.\nThe flag --log-level=debug shows where it happened.\n',
    ],
    ['form x', 'builder: verb form: there is no such verb; did you mean from?\nSee builder --help\n'],
    [
      'manifest creat',
      'builder: verb manifest creat: there is no such verb; did you mean manifest create?\nSee builder --help\n',
    ],
    ['help form', 'builder: verb form: there is no such verb; did you mean from?\nSee builder --help\n'],
    [
      '--rot /x from',
      'builder: flag --rot: there is no such flag before the verb; did you mean --root?\nSee builder --help\n',
    ],
    [
      '--name x from',
      "builder: flag --name: there is no such flag before the verb; a verb's flags stand after the verb\nSee builder --help\n",
    ],
    [
      'completion basch',
      'builder: completion basch: there is no completion for it; did you mean bash?\nSee builder --help\n',
    ],
    ['from', 'builder: from IMAGE: it is missing (scratch or a name)\nSee builder from --help\n'],
  ]
  for (const [line, stderr] of cases) it(line, () => assert.deepEqual(run(line), { stdout: '', stderr, status: 125 }))

  it('shows causes when asked to', () => {
    const expected =
      'builder: fail a\\x1b[2Jb: it was asked to\n  because: Error: the disk said \\x1b[31mno\n  because: Error: a cable is loose\n'
    assert.equal(run('--log-level debug fail known').stderr, expected)
  })

  it('shows the stack of a bug when asked to', () => {
    const { stderr } = run('fail bug --log-level=debug')
    assert.match(stderr, /^builder: TypeError: x is not a function\n {2}because: Error: the root of it\nThis is a bug/)
    assert.match(stderr, /\n {4}at .*fail/)
  })

  it('reports what nobody awaited', () => {
    const { stderr, status } = run('fail late')
    assert.match(stderr, /^builder: RangeError: nobody awaited me\nThis is a bug/)
    assert.equal(status, 125)
  })
})

describe('signals', () => {
  const cases: [NodeJS.Signals, string, number, string][] = [
    ['SIGINT', 'wait', 130, ''],
    ['SIGTERM', 'wait', 143, ''],
    ['SIGHUP', 'wait', 129, ''],
    ['SIGINT', 'wait --then finish', 130, 'done\n'],
    ['SIGTERM', 'wait --then exit-7', 7, ''],
  ]
  for (const [signal, line, status, stdout] of cases)
    it(`${signal} during ${line} ends with ${status} after the verb has settled`, async () => {
      const child = start(line)
      await said(child, 'ready')
      child.kill(signal)
      assert.deepEqual(await ended(child), { status, stdout })
    })

  it('a second one does not wait', async () => {
    const child = start('wait --then hang')
    await said(child, 'ready')
    child.kill('SIGINT')
    await said(child, 'hanging')
    child.kill('SIGINT')
    assert.deepEqual(await ended(child), { status: 130, stdout: '' })
  })
})

function run(line: string) {
  const words = line.split(' ').filter((word) => word !== '')
  const { stdout, stderr, status } = spawnSync(process.execPath, [project.main, ...words], { encoding: 'utf8' })
  return { stdout, stderr, status }
}

function shell(script: string) {
  const env = { ...process.env, PATH: `${project.bin}:${process.env.PATH}` }
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', env })
  return { stdout, stderr }
}

function start(line: string): ChildProcess {
  return spawn(process.execPath, [project.main, ...line.split(' ')], { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function said(child: ChildProcess, word: string): Promise<void> {
  for (let text = ''; !text.includes(word); ) text += String((await once(child.stderr ?? child, 'data'))[0])
}

async function ended(child: ChildProcess) {
  let stdout = ''
  child.stdout?.on('data', (chunk) => {
    stdout += String(chunk)
  })
  const [status] = await once(child, 'close')
  return { status, stdout }
}

import assert from 'node:assert/strict'
import { before, describe, it, test } from 'node:test'
import { BuilderError } from '../../sdk/errors.js'
import { checkLabel } from '../../sdk/runlabel/check-label.js'
import { type LabelCommandOptions, label } from '../../sdk/runlabel/label.js'
import { parseRunLine } from '../../sdk/runlabel/run-line.js'
import { substitute } from '../../sdk/runlabel/substitute.js'
import { splitLabel } from '../../sdk/runlabel/words.js'
import { builder } from '../lane.js'
import { refuses, said } from '../verbs/cases.js'

const good: Readonly<Record<string, readonly string[]>> = {
  'podman run IMAGE': [],
  'podman run -it --rm --name NAME -v "$PWD:/x y" $IMAGE sh -c "a  b; c"': [],
  'docker run --rm -e A=\'x "y"\' ${IMAGE}': [],
  'builder run-image --spc IMAGE': [],
  'podman run -p 80:80 --rm IMAGE': ['--publish=80:80'],
  'podman run --memory=1g --init IMAGE x': ['--memory=1g', '--init=true'],
  'podman rm -f NAME': [],
  '/usr/bin/web-install --name ${NAME:-web} ${OPT1:-}': [],
}

describe('a label that is correct', () => {
  for (const [text, others] of Object.entries(good))
    it(text, () => assert.deepEqual(checkLabel('run', text), { others }))
})

const bad: Readonly<Record<string, RegExp>> = {
  'podman run --nmae x IMAGE':
    /INVALID check label run, at character 12: "--nmae": there is no such flag; did you mean --name\?/,
  "podman run -e 'a  b' --bogus IMAGE": /run, at character 22: "--bogus": there is no such flag/,
  'podman run --name': /run, at character 12: "--name": its value is missing/,
  'podman run --rm': /run, at the end:: the image is missing; write IMAGE after the flags/,
  'podman run --rm web':
    /run, at character 17: "web": IMAGE is missing: this would be run instead .*; write IMAGE where/,
  'podman run -p 80:80 web': /run, at character 21: "web": IMAGE is missing/,
  'podman run -p 80:80 --bogus IMAGE': /INVALID .*"--bogus"/,
  'builder run-image -p 80:80 IMAGE': /UNSUPPORTED check label run, at character 19: "-p": builder cannot honour/,
  'podman --root /x run IMAGE': /UNSUPPORTED check label run, at character 8: "--root": this global flag/,
  "podman run 'IMAGE": /INVALID check label run: a ' is not closed: character 12/,
  'podman run IMAGE; rm -rf /': /check label run: no shell reads a label, and a ; separates two commands: character 17/,
  'podman run $(id) IMAGE': /\$\( asks a shell to execute a command: character 12/,
  'podman run $USER IMAGE': /check label run: \$USER: there is no such variable/,
  '': /check label run: it has no words/,
}

describe('a label that is not', () => {
  for (const [text, says] of Object.entries(bad))
    it(text || 'nothing', () => {
      const told = (error: unknown) => error instanceof BuilderError && says.test(`${error.code} ${error.message}`)
      assert.throws(() => checkLabel('run', text), told)
    })
})

describe('a label from typed options', () => {
  const values = { IMAGE: 'localhost/web', NAME: 'web', PWD: '/with blank', HOME: '/h' }
  // A variable of the label, not of this file.
  const work = '$' + '{PWD}'
  const options = {
    ...({ interactive: true, rm: false, name: 'NAME', privileged: true, network: 'host', readOnly: true } as const),
    volume: [`${work}/a "b":/x`, '/$dollar:/`y`'],
    env: ["A=it's", 'B=\\back', 'IMAGE', 'C=a\nb'],
    entrypoint: '["sh", "-c"]',
  } as const
  it('is read back as it was given, a value stays one word', () => {
    const text = label.run({ ...options, command: ['echo $HOME; "x"', '', '-v'] })
    assert.match(text, /^RUN=podman run /)
    const words = substitute(splitLabel(text.slice('RUN='.length)), values).map((word) => word.text)
    const { image, command, options: read } = parseRunLine(words)
    assert.deepEqual([image, command], ['localhost/web', ['echo $HOME; "x"', '', '-v']])
    assert.deepEqual(read, {
      ...options,
      name: 'web',
      volume: ['/with blank/a "b":/x', '/$dollar:/`y`'],
      env: ["A=it's", 'B=\\back', 'localhost/web', 'C=a\nb'],
    })
  })
  it('each has its name', () => {
    const rm = { words: ['podman', 'rm', '-f', 'NAME'] }
    assert.equal(
      label.install({ engine: 'builder', spc: true, command: ['a b'] }),
      "INSTALL=builder run-image --spc IMAGE 'a b'",
    )
    assert.equal(label.uninstall(rm), 'UNINSTALL=podman rm -f NAME')
    assert.equal(label.stop(rm), 'STOP=podman rm -f NAME')
    assert.equal(label.named('debug', { engine: 'docker', tty: true }), 'debug=docker run --tty IMAGE')
  })
  const wrong: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
    'a flag of builder’s alone in a line for podman': [
      () => label.run({ spc: true }),
      /"--spc": there is no such flag/,
    ],
    'no words': [() => label.stop({ words: [] }), /it has no words/],
    'another image': [() => label.stop({ words: ['podman', 'run', 'web'] }), /IMAGE is missing/],
    'a NUL byte': [() => label.run({ name: 'a\0' }), /it holds a NUL byte/],
    'a name with a blank': [() => label.named('a b'), /it is no name of a label/],
    'an option that there is not': [
      () => label.run({ volumes: ['a:b'] } as unknown as LabelCommandOptions),
      /make label volumes: there is no such option; did you mean volume\?/,
    ],
  }
  for (const [title, [make, says]] of Object.entries(wrong)) it(`throws for ${title}`, () => assert.throws(make, says))
})

before(async () => {
  await said('from', '--name', 'c', 'scratch')
})

test('config --runlabel writes a label in the place of one in another case, and inspect --runlabels says what it asks for', async () => {
  await said('config', '--label', 'RUN=old', '--label', 'Install=old', '--label', 'other=x', 'c')
  const { stderr } = await builder([
    'config',
    '--runlabel',
    "run=podman run -it --net=host -v /:/host IMAGE sh -c 'a  b'",
    '--runlabel',
    'stop=podman run -p 8080:80 IMAGE',
    'c',
  ])
  assert.match(
    stderr,
    /^builder: warning: label stop: builder itself cannot honour --publish=8080:80; it takes --engine podman/,
  )
  assert.equal(
    await said('inspect', '-f', '{{.OCIv1.Config.Labels}}', 'c'),
    "map[Install:old other:x run:podman run -it --net=host -v /:/host IMAGE sh -c 'a  b' stop:podman run -p 8080:80 IMAGE]",
  )
  const text = await said('inspect', '--runlabels', 'c')
  assert.match(text, /^Install: old\n {2}asks for:\n(.*\n)*? {2}- a program on the host, in no container: old$/m)
  assert.match(
    text,
    /^run: podman run -it --net=host -v \/:\/host c sh -c 'a {2}b'\n {2}asks for:\n(.*\n)*? {2}- the network of this machine$/m,
  )
  assert.match(text, /^stop: podman run -p 8080:80 IMAGE\n {2}cannot be carried out: .*"-p"/m)
  assert.doesNotMatch(text, /other/)
})

test('an image without such labels', async () => {
  await said('from', '--name', 'bare', 'scratch')
  assert.equal(await said('inspect', '--runlabels', 'bare'), 'no run labels')
})

refuses([
  [
    ['config', '--runlabel', 'run', 'c'],
    /^builder: config --runlabel run: it has no command; write --runlabel NAME='podman run … IMAGE'/,
  ],
  [['config', '--runlabel', 'a b=podman run IMAGE', 'c'], /"a b": it is no name of a label/],
  [
    ['config', '--runlabel', 'run=podman run --nmae x IMAGE', 'c'],
    /check label run, at character 12: "--nmae": there is no such flag/,
  ],
  [['config', '--runlabel', 'run=podman run --rm web', 'c'], /at character 17: "web": IMAGE is missing/],
])

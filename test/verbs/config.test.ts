import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { refuses, said } from './cases.js'

before(() => said('from', '--name', 'c', 'scratch'))

// What buildah 1.28 makes of the same words, unless a title says otherwise.
const rows: Readonly<Record<string, { words: readonly string[]; gives: object }>> = {
  'variables, one made of another': { words: ['--env', 'A=1', '--env', 'B=$A/x'], gives: { Env: ['A=1', 'B=1/x'] } },
  'a variable with a comma': { words: ['-e', 'A=1,B=2'], gives: { Env: ['A=1,B=2'] } },
  'a variable that goes': { words: ['--env', 'A=1', '--env', 'A-'], gives: {} },
  labels: { words: ['--label', 'a=b', '--label', 'c', '-l', 'd=e=f'], gives: { Labels: { a: 'b', c: '', d: 'e=f' } } },
  'a label that goes': { words: ['--label', 'a=b', '--label', 'a-'], gives: {} },
  ports: {
    words: ['--port', '80,90', '-p', '53/udp', '-p', '90-'],
    gives: { ExposedPorts: { '80': {}, '53/udp': {} } },
  },
  volumes: { words: ['--volume', '/a', '-v', '/b', '-v', '/a-'], gives: { Volumes: { '/b': {} } } },
  'a command of words': { words: ['--cmd', 'nginx -g "daemon off;"'], gives: { Cmd: ['nginx', '-g', 'daemon off;'] } },
  'a command as a list': { words: ['--cmd', '["a","b c"]'], gives: { Cmd: ['a', 'b c'] } },
  'no command': { words: ['--cmd', ''], gives: {} },
  'an entry point as a list': { words: ['--entrypoint', '["/x","y"]'], gives: { Entrypoint: ['/x', 'y'] } },
  'an entry point as a line': { words: ['--entrypoint', '/x y'], gives: { Entrypoint: ['/bin/sh', '-c', '/x y'] } },
  'a shell': { words: ['--shell', '/bin/bash -c'], gives: { Shell: ['/bin/bash', '-c'] } },
  'user, folder, signal': {
    words: ['-u', '1:2', '--workingdir', '/srv', '--stop-signal', 'SIGTERM'],
    gives: { User: '1:2', WorkingDir: '/srv', StopSignal: 'SIGTERM' },
  },
  'what builds on top do': {
    words: ['--onbuild', 'RUN x', '--onbuild', 'RUN y'],
    gives: { OnBuild: ['RUN x', 'RUN y'] },
  },
  'a health check': {
    words: ['--healthcheck', 'CMD curl x', '--healthcheck-interval', '1m30s', '--healthcheck-retries', '3'],
    gives: { Healthcheck: { Test: ['CMD', 'curl', 'x'], Interval: 90e9, Retries: 3 } },
  },
  'a health check as a list (buildah garbles it)': {
    words: ['--healthcheck', '["CMD","a b"]'],
    gives: { Healthcheck: { Test: ['CMD', 'a b'] } },
  },
}

for (const [title, { words, gives }] of Object.entries(rows))
  test(`sets ${title}`, async (t) => {
    const name = await said('from', 'scratch')
    t.after(() => said('rm', name))
    assert.equal(await said('config', ...words, name), '')
    assert.deepEqual(JSON.parse(await said('inspect', '--format', '{{json .OCIv1.Config}}', name)), gives)
  })

refuses([
  [['config'], /^builder: config CONTAINER: it is missing .*\nSee builder config --help\n$/],
  [['config', '--env'], /^builder: config --env: its value is missing \(NAME=VALUE\)/],
  [['config', '--lable', 'a=b', 'c'], /there is no such flag; did you mean --label\?/],
  [['config', 'nope'], /^builder: config nope: there is no such container; see builder containers/],
  [['config', '--env', '=x', 'c'], /^builder: config --env "=x": it has no name/],
  [['config', '--label', '=x', 'c'], /^builder: config --label "=x": it has no name/],
  [['config', '--annotation', '=x', 'c'], /^builder: config --annotation "=x": it has no name/],
  [['config', '--port', 'http', 'c'], /^builder: config --port "http": it is not a port/],
  [['config', '--port', '70000', 'c'], /^builder: config --port "70000": it is not a port/],
  [['config', '--healthcheck-interval', '5', 'c'], /^builder: config --healthcheck-interval "5": it is not a duration/],
  [['config', '--healthcheck-retries', 'x', 'c'], /--healthcheck-retries: "x" is not a number/],
  [['config', '--cmd', '"open', 'c'], /a " is not closed/],
])

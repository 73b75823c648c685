// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what a Containerfile says
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluate, type Outcome } from '../../sdk/containerfile/evaluate.js'
import { parseContainerfile } from '../../sdk/containerfile/parse.js'
import { globalScope, stageScope } from '../../sdk/containerfile/scope.js'
import type { Situation } from '../../sdk/containerfile/situation.js'
import { type ExecutionConfig, emptyConfig } from '../../sdk/image/config.js'

const platform = { os: 'linux', architecture: 'amd64' }

/** What the lines of a stage come to, the last one's outcome, and all that the history says. */
function stage(lines: string, given: Record<string, string> = {}, base: ExecutionConfig = {}, globals = '') {
  const file = parseContainerfile(`${globals}FROM scratch\n${lines}`)
  const all = { given: new Map(Object.entries(given)), platform, buildPlatform: platform }
  const config = { ...emptyConfig(platform), config: base }
  let situation: Situation = { config, scope: stageScope(globalScope(file, all)), hasCommand: false }
  const outcomes: Outcome[] = []
  for (const instruction of file.stages[0]?.instructions ?? []) {
    const outcome = evaluate(instruction, situation)
    if (outcome.kind === 'config' || outcome.kind === 'workdir') situation = outcome.next
    outcomes.push(outcome)
  }
  return { config: situation.config, last: outcomes.at(-1), said: outcomes.map((one) => ('by' in one ? one.by : '')) }
}

const configs: Readonly<
  Record<string, { lines: string; base?: ExecutionConfig; given?: Record<string, string>; gives: ExecutionConfig }>
> = {
  'ENV pairs': { lines: 'ENV A=1 B="two words" C=a\\ b', gives: { Env: ['A=1', 'B=two words', 'C=a b'] } },
  'ENV of the old form': { lines: 'ENV A one  two', gives: { Env: ['A=one  two'] } },
  'ENV sees what was before its line': {
    lines: 'ENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc',
    gives: { Env: ['abc=bye', 'def=hello', 'ghi=bye'] },
  },
  'ENV in place of the base’s': {
    lines: 'ENV PATH=/x:$PATH',
    base: { Env: ['PATH=/bin', 'Z=1'] },
    gives: { Env: ['PATH=/x:/bin', 'Z=1'] },
  },
  'ENV hides an ARG': { lines: 'ARG V=1\nENV V=2\nLABEL v=$V', gives: { Env: ['V=2'], Labels: { v: '2' } } },
  'an ARG without a value is empty': { lines: 'ARG V\nENV A=x$V', gives: { Env: ['A=x'] } },
  'an ARG that was given': { lines: 'ARG V=1\nENV A=$V', given: { V: '9' }, gives: { Env: ['A=9'] } },
  'what was given and not declared': { lines: 'ENV A=$V', given: { V: '9' }, gives: { Env: ['A='] } },
  'several ARGs in a line': { lines: 'ARG A=1 B=${A}2\nENV C=$B', gives: { Env: ['C=12'] } },
  'a platform ARG that was declared': {
    lines: 'ARG TARGETPLATFORM\nENV P=$TARGETPLATFORM',
    gives: { Env: ['P=linux/amd64'] },
  },
  'a platform ARG that was not': { lines: 'ENV P=$TARGETPLATFORM', gives: { Env: ['P='] } },
  LABEL: {
    lines: 'LABEL a=1 "b c"="d e"',
    base: { Labels: { z: '0' } },
    gives: { Labels: { z: '0', a: '1', 'b c': 'd e' } },
  },
  EXPOSE: {
    lines: 'EXPOSE 80 53/udp 8000-8002/tcp',
    gives: { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} } },
  },
  'EXPOSE of several in a variable': {
    lines: 'ARG P="80 81"\nEXPOSE $P',
    gives: { ExposedPorts: { '80/tcp': {}, '81/tcp': {} } },
  },
  VOLUME: {
    lines: 'VOLUME ["/a", "/b c"]\nVOLUME /d /e',
    gives: { Volumes: { '/a': {}, '/b c': {}, '/d': {}, '/e': {} } },
  },
  USER: { lines: 'ARG U=web\nUSER $U:0', gives: { User: 'web:0' } },
  WORKDIR: { lines: 'WORKDIR /a\nWORKDIR b\nWORKDIR ../c/./d/', gives: { WorkingDir: '/a/c/d' } },
  'CMD exec form': { lines: 'CMD ["a", "b c"]', gives: { Cmd: ['a', 'b c'] } },
  'CMD shell form': { lines: 'CMD echo $HOME', gives: { Cmd: ['/bin/sh', '-c', 'echo $HOME'] } },
  'SHELL and what follows': {
    lines: 'SHELL ["/bin/bash", "-ec"]\nCMD a',
    gives: { Shell: ['/bin/bash', '-ec'], Cmd: ['/bin/bash', '-ec', 'a'] },
  },
  'ENTRYPOINT drops the base’s CMD': { lines: 'ENTRYPOINT ["x"]', base: { Cmd: ['y'] }, gives: { Entrypoint: ['x'] } },
  'ENTRYPOINT leaves the stage’s own CMD': {
    lines: 'CMD ["y"]\nENTRYPOINT ["x"]',
    gives: { Cmd: ['y'], Entrypoint: ['x'] },
  },
  STOPSIGNAL: { lines: 'STOPSIGNAL SIGRTMIN+3', gives: { StopSignal: 'SIGRTMIN+3' } },
  ONBUILD: { lines: 'ONBUILD COPY $X /y', gives: { OnBuild: ['COPY $X /y'] } },
  HEALTHCHECK: {
    lines:
      'HEALTHCHECK --interval=1m30s --timeout=2s --start-period=500ms --start-interval=1s --retries=4 CMD test -e /x',
    gives: {
      Healthcheck: {
        Test: ['CMD-SHELL', 'test -e /x'],
        Interval: 90e9,
        Timeout: 2e9,
        StartPeriod: 5e8,
        StartInterval: 1e9,
        Retries: 4,
      },
    },
  },
  'HEALTHCHECK exec form': {
    lines: 'HEALTHCHECK CMD ["/x", "y"]',
    gives: { Healthcheck: { Test: ['CMD', '/x', 'y'] } },
  },
  'HEALTHCHECK NONE': { lines: 'HEALTHCHECK NONE', gives: { Healthcheck: { Test: ['NONE'] } } },
}

for (const [title, { lines, base, given, gives }] of Object.entries(configs))
  test(`configures: ${title}`, () => {
    assert.deepEqual(stage(lines, given, base).config.config, gives)
  })

test('a global ARG is seen where it is declared again', () => {
  assert.deepEqual(stage('ARG V\nENV A=$V', {}, {}, 'ARG V=1\n').config.config, { Env: ['A=1'] })
  assert.deepEqual(stage('ENV A=$V', {}, {}, 'ARG V=1\n').config.config, { Env: ['A='] })
})

test('MAINTAINER is the author', () => {
  assert.equal(stage('MAINTAINER me <m@e>').config.author, 'me <m@e>')
})

const runs: Readonly<
  Record<string, { lines: string; given?: Record<string, string>; gives: Record<string, unknown> }>
> = {
  'the shell form': { lines: 'RUN a && b', gives: { argv: ['/bin/sh', '-c', 'a && b'], by: '/bin/sh -c a && b' } },
  'the exec form': { lines: 'RUN ["a", "b c"]', gives: { argv: ['a', 'b c'], by: 'a b c' } },
  'variables as they are': { lines: 'ENV A=1\nRUN echo $A', gives: { argv: ['/bin/sh', '-c', 'echo $A'] } },
  'ARGs in the environment': {
    lines: 'ARG A=1 B\nARG C=3\nENV C=4\nRUN x',
    gives: { args: ['A=1'], by: '|1 A=1 /bin/sh -c x' },
  },
  'a proxy that no ARG declares': {
    lines: 'RUN x',
    given: { https_proxy: 'p' },
    gives: { args: [], proxies: ['https_proxy=p'], by: '/bin/sh -c x' },
  },
  'a heredoc as a script': { lines: 'RUN <<EOF\na\nb $X\nEOF', gives: { argv: ['/bin/sh', '-c', 'a\nb $X\n'] } },
  'a heredoc with tabs': { lines: 'RUN <<-EOF\n\ta\n\tEOF', gives: { argv: ['/bin/sh', '-c', 'a\n'] } },
  'a heredoc as a program': {
    lines: 'RUN <<EOF\n#!/usr/bin/python3\nprint(1)\nEOF',
    gives: { argv: ['/dev/pipes/EOF'], script: { path: '/dev/pipes/EOF', content: '#!/usr/bin/python3\nprint(1)\n' } },
  },
  'a heredoc behind other words': {
    lines: 'RUN cat <<A <<"B" >/x\n1\nA\n2\nB',
    gives: { argv: ['/bin/sh', '-c', 'cat <<A <<"B" >/x\n1\nA\n2\nB'] },
  },
  'mounts with variables': {
    lines: 'ARG D=/d\nRUN --mount=type=cache,target=$D --network=none x',
    gives: { mounts: ['type=cache,target=/d'], network: 'none' },
  },
}

for (const [title, { lines, given, gives }] of Object.entries(runs))
  test(`RUN: ${title}`, () => {
    const { last } = stage(lines, given)
    const shown = Object.fromEntries(Object.keys(gives).map((name) => [name, (last as never)[name]]))
    assert.deepEqual(shown, gives)
  })

const places: Readonly<Record<string, { lines: string; gives: Record<string, unknown> }>> = {
  'sources and an absolute destination': {
    lines: 'COPY a b /c/',
    gives: { sources: ['a', 'b'], destination: '/c/', verb: 'copy' },
  },
  'a destination below the working folder': {
    lines: 'WORKDIR /w\nADD a b',
    gives: { destination: '/w/b', verb: 'add' },
  },
  'the working folder itself': { lines: 'WORKDIR /w\nCOPY a .', gives: { destination: '/w/./' } },
  variables: {
    lines: 'ARG V=1\nCOPY --chown=$V --chmod=$V --from=$V a$V /b$V',
    gives: { sources: ['a1'], destination: '/b1', chown: '1', chmod: '1', from: '1' },
  },
  'a heredoc': {
    lines: 'ENV A=1\nCOPY <<x.txt <<"y" z /d/\n$A "q"\nx.txt\n$A\ny',
    gives: {
      sources: ['z'],
      files: [
        { name: 'x.txt', content: '1 "q"\n' },
        { name: 'y', content: '$A\n' },
      ],
    },
  },
}

for (const [title, { lines, gives }] of Object.entries(places))
  test(`COPY and ADD: ${title}`, () => {
    const { last } = stage(lines)
    const shown = Object.fromEntries(Object.keys(gives).map((name) => [name, (last as never)[name]]))
    assert.deepEqual(shown, gives)
  })

test('the history says what the field’s histories say', () => {
  assert.deepEqual(stage('ENV A=1\nCMD ["x"]\nWORKDIR /w\nEXPOSE 80\nARG X=1').said, [
    '/bin/sh -c #(nop) ENV A=1',
    '/bin/sh -c #(nop) CMD ["x"]',
    '/bin/sh -c #(nop) WORKDIR /w',
    '/bin/sh -c #(nop) EXPOSE 80/tcp',
    '/bin/sh -c #(nop) ARG X=1',
  ])
})

const refused: Readonly<Record<string, RegExp>> = {
  'EXPOSE 99999': /^build Containerfile:2.*: 99999 is not a port; write for example EXPOSE 80/,
  'STOPSIGNAL "a b"': /a b is not a signal; write for example STOPSIGNAL SIGTERM/,
  'ARG U\nUSER $U': /the name of the user is empty/,
  'ENV A=${B:?B is missing}': /B is missing/,
}

for (const [lines, says] of Object.entries(refused))
  test(`refuses ${lines}`, () => {
    assert.throws(() => stage(lines), { message: says })
  })

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what a Containerfile says
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseContainerfile } from '../../sdk/containerfile/parse.js'
import { type PlanOptions, planBuild } from '../../sdk/containerfile/plan.js'

const platform = { os: 'linux', architecture: 'amd64' }

function plan(text: string, options: Partial<PlanOptions> = {}) {
  const file = parseContainerfile(text)
  return planBuild(file, { given: new Map(), platform, buildPlatform: platform, ...options })
}

/** What each stage of the plan stands on and waits for. */
interface Row {
  readonly file: string
  readonly options?: Partial<PlanOptions>
  readonly gives: readonly string[]
}

const rows: Readonly<Record<string, Row>> = {
  'one stage': { file: 'FROM debian', gives: ['0: debian'] },
  scratch: { file: 'FROM scratch', gives: ['0: scratch'] },
  'a stage on a stage': { file: 'FROM debian AS a\nFROM a AS b', gives: ['a: debian', 'b: stage 0, needs 0'] },
  'stages that nothing needs are left out': { file: 'FROM debian AS a\nFROM alpine', gives: ['1: alpine'] },
  'a target': { file: 'FROM debian AS a\nFROM alpine', options: { target: 'a' }, gives: ['a: debian'] },
  'a target in capitals': { file: 'FROM debian AS a\nFROM alpine', options: { target: 'A' }, gives: ['a: debian'] },
  'a target by its number': { file: 'FROM debian\nFROM alpine', options: { target: '0' }, gives: ['0: debian'] },
  'all stages': { file: 'FROM debian AS a\nFROM alpine', options: { all: true }, gives: ['a: debian', '1: alpine'] },
  'COPY --from': {
    file: 'FROM a AS x\nFROM b AS y\nFROM c\nCOPY --from=x / /\nCOPY --from=1 / /',
    gives: ['x: a', 'y: b', '2: c, needs 0 1'],
  },
  'COPY --from of an image': { file: 'FROM a\nCOPY --from=busybox / /', gives: ['0: a'] },
  'RUN --mount from': {
    file: 'FROM a AS x\nFROM b\nRUN --mount=type=bind,from=x,target=/x true',
    gives: ['x: a', '1: b, needs 0'],
  },
  'a stage below': {
    file: 'FROM a\nCOPY --from=x / /\nFROM b AS x',
    options: { target: '0' },
    gives: ['0: a, needs 1', 'x: b'],
  },
  'a name like the base’s': {
    file: 'FROM debian AS debian\nFROM debian',
    gives: ['debian: debian', '1: stage 0, needs 0'],
  },
  'two stages of one name: the nearer one above counts': {
    file: 'FROM a AS x\nFROM b AS x\nFROM x',
    gives: ['x-1: b', '2: stage 1, needs 1'],
  },
  'a global ARG': { file: 'ARG V=12\nFROM debian:$V', gives: ['0: debian:12'] },
  'a global ARG that was given': {
    file: 'ARG V=12\nFROM debian:$V',
    options: { given: new Map([['V', '13']]) },
    gives: ['0: debian:13'],
  },
  'an ARG in an ARG': { file: 'ARG V=12\nARG I=debian:${V}\nFROM $I', gives: ['0: debian:12'] },
  'a platform ARG': { file: 'FROM i-${TARGETARCH}-$BUILDOS', gives: ['0: i-amd64-linux'] },
  'a platform ARG without a value': { file: 'FROM i${TARGETOSVERSION-none}', gives: ['0: i'] },
  'a platform ARG that is given': {
    file: 'FROM i-$TARGETARCH',
    options: { given: new Map([['TARGETARCH', 'mine']]) },
    gives: ['0: i-mine'],
  },
  'what was not declared is not seen': {
    file: 'FROM debian${V:--none}',
    options: { given: new Map([['V', '13']]) },
    gives: ['0: debian-none'],
  },
  'a stage chosen by an ARG': {
    file: 'ARG KIND=prod\nFROM a AS prod\nFROM b AS dev\nFROM $KIND',
    gives: ['prod: a', '2: stage 0, needs 0'],
  },
  'a named context hides a stage': {
    file: 'FROM a AS x\nFROM x',
    options: { isContext: (name) => name === 'x' },
    gives: ['1: x'],
  },
}

for (const [title, { file, options, gives }] of Object.entries(rows))
  test(`plans ${title}`, () => {
    const { stages } = plan(file, options)
    const shown = stages.map(({ id, base, needs }) => {
      const on = base.kind === 'stage' ? `stage ${base.index}` : base.kind === 'image' ? base.name : 'scratch'
      const waits = [...new Set(needs.map(({ index }) => index))]
      return `${id}: ${on}${waits.length > 0 ? `, needs ${waits.join(' ')}` : ''}`
    })
    assert.deepEqual(shown, gives)
  })

const refused: Readonly<Record<string, { file: string; options?: Partial<PlanOptions>; says: RegExp }>> = {
  'a target that is not there': {
    file: 'FROM a AS build',
    options: { target: 'biuld' },
    says: /^build --target biuld: the file has no such stage; did you mean build\?$/,
  },
  'a number that no stage has': {
    file: 'FROM a\nCOPY --from=3 / /',
    says: /^plan Containerfile:2.*: there is no stage 3; the stages have the numbers 0 to 0.*\n {2}2 \| COPY --from=3 \/ \/$/,
  },
  'a cycle': {
    file: 'FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nCOPY --from=x / /',
    says: /^plan Containerfile:4.*: stages wait for each other: y needs x needs y; let one/,
  },
  'a stage that waits for itself': {
    file: 'FROM a AS x\nCOPY --from=x / /',
    says: /^plan Containerfile:2.*: stages wait for each other: x needs x; let one/,
  },
  'a base without a name': {
    file: 'ARG IMAGE\nFROM $IMAGE',
    says: /^plan Containerfile:2.*: the name of the base image is empty: \$IMAGE has no value; give it one with --build-arg/,
  },
}

for (const [title, { file, options, says }] of Object.entries(refused))
  test(`refuses ${title}`, () => {
    assert.throws(() => plan(file, options), { message: says })
  })

/** What builds tell, for tests of those who show it. */
import { PassThrough } from 'node:stream'
import type { BuildEvent, PlannedStage, StepEnd } from '../../sdk/containerfile/event.js'
import type { Caller } from '../../sdk/namespace/caller.js'

/** 2026-01-02 03:04:05 UTC. */
export const start = 1767323045000

export const digest = (digits: string) => `sha256:${digits.padEnd(64, '0')}` as const

/** A stage of the plan with one step a line. */
export function stageOf(id: string, texts: readonly string[], needs: readonly string[] = []): PlannedStage {
  const steps = texts.map((text, i) => ({
    id: `${id}.${i + 1}`,
    text,
    position: { file: 'Containerfile', line: i + 1, text },
  }))
  return { id, name: id, needs, steps }
}

const stages = [
  stageOf('base', ['FROM debian:12', 'RUN apt-get update']),
  stageOf('docs', ['FROM debian:12', 'RUN make docs'], []),
  stageOf('web', ['FROM base', 'COPY --from=docs /out /srv', 'CMD ["serve"]'], ['base', 'docs']),
]

export const at = (milliseconds: number) => ({ time: start + milliseconds })
export const begin = (time: number, step: string): BuildEvent => ({
  ...{ type: 'step-begin', ...at(time), stage: step.split('.')[0] ?? '', step },
})
export const end = (time: number, step: string, rest: Partial<StepEnd> = {}): BuildEvent => ({
  ...{ type: 'step-end', ...at(time), stage: step.split('.')[0] ?? '', step, state: 'done', ...rest },
})
export const out = (time: number, step: string, text: string, stream: 'stdout' | 'stderr' = 'stdout'): BuildEvent => ({
  ...{ type: 'step-output', ...at(time), step, stream, text },
})

/** Two stages side by side, then one that needs both. */
export const good: readonly BuildEvent[] = [
  { type: 'plan', ...at(0), stages },
  {
    type: 'warning',
    ...at(1),
    message: 'the form is obsolete',
    position: { file: 'a\u001b[2J.in', line: 3, text: 'x' },
  },
  { type: 'stage-begin', ...at(2), stage: 'base' },
  { type: 'stage-begin', ...at(2), stage: 'docs' },
  begin(3, 'base.1'),
  end(5, 'base.1', { state: 'hit', explanation: { state: 'hit', key: digest('1') } }),
  begin(6, 'docs.1'),
  end(7, 'docs.1', { state: 'hit', explanation: { state: 'hit', key: digest('1') } }),
  begin(10, 'base.2'),
  begin(11, 'docs.2'),
  out(500, 'base.2', 'Get:1 http://deb'),
  out(600, 'docs.2', '\u001b[31mred\u001b[0m\u0007 10%\r 20%\r100%\r\n\tindented\n'),
  out(700, 'base.2', 'ian.org\nReading\n'),
  out(800, 'base.2', 'no end', 'stderr'),
  end(12_300, 'base.2', {
    layer: { diffID: digest('a'), size: 45_000_000 },
    explanation: {
      state: 'miss',
      key: digest('2'),
      differs: { input: 'command', was: 'apt-get upgrade', is: 'apt-get update' },
      reason: 'the command differs',
    },
  }),
  { type: 'stage-end', ...at(12_301), stage: 'base', state: 'done' },
  end(13_000, 'docs.2', { layer: { diffID: digest('b'), size: 2000 } }),
  { type: 'stage-end', ...at(13_001), stage: 'docs', state: 'done' },
  { type: 'stage-begin', ...at(13_002), stage: 'web' },
  begin(13_003, 'web.1'),
  end(13_004, 'web.1'),
  begin(13_005, 'web.2'),
  end(13_105, 'web.2', { layer: { diffID: digest('c'), size: 1000 } }),
  begin(13_106, 'web.3'),
  end(13_107, 'web.3'),
  { type: 'stage-end', ...at(13_108), stage: 'web', state: 'done' },
  { type: 'image', ...at(13_200), id: 'f'.repeat(64), names: ['localhost/web:latest'] },
]

/** The same until a step fails and the other one is stopped. */
export const bad: readonly BuildEvent[] = [
  ...good.slice(0, 14),
  out(900, 'docs.2', Array.from({ length: 50 }, (_, i) => `line ${i + 1}\n`).join('')),
  end(1000, 'docs.2', { state: 'failed', exitCode: 2 }),
  { type: 'stage-end', ...at(1001), stage: 'docs', state: 'failed' },
  end(1100, 'base.2', { state: 'stopped' }),
  { type: 'stage-end', ...at(1101), stage: 'base', state: 'stopped' },
]

/** What somebody is told; escape characters are written as `^`. */
export function listener(columns?: number, rows = 24): { readonly here: Caller; readonly told: string[] } {
  const told: string[] = []
  const say = (text: string) => void told.push(text.replaceAll('\u001b', '^'))
  return { here: { say, stdin: () => new PassThrough(), columns, rows }, told }
}

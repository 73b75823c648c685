// A node:test reporter: one JSON line for each thing that the lanes count. test/setup/tally.mjs reads it.
import { inspect } from 'node:util'

export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type === 'test:stdout' || type === 'test:stderr')
      yield line({ kind: 'output', file: data.file, text: data.message })
    if (type === 'test:pass' || type === 'test:fail') yield line(result(type, data))
  }
}

function result(type, data) {
  const { error, type: of, duration_ms } = data.details
  // A file stands in the events as a test of its own when it ran none, or when it ended badly.
  const isFile = data.nesting === 0 && data.name === data.file
  return {
    kind: 'result',
    passed: type === 'test:pass',
    file: data.file,
    name: data.name,
    nesting: data.nesting,
    suite: of === 'suite',
    isFile,
    skip: data.skip === undefined || data.skip === false ? undefined : String(data.skip),
    todo: data.todo !== undefined && data.todo !== false,
    failureType: error?.failureType,
    error: error && inspect(error.cause instanceof Error ? error.cause : error, { depth: 6 }),
    ms: duration_ms,
  }
}

function line(value) {
  return `${JSON.stringify(value)}\n`
}

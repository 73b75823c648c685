import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateOutput } from './deflate.js'
import { GeneratorError } from './faults.js'
import { outputsFor } from './outputs.js'
import { preprocessOutput } from './preprocess.js'
import { type Contents, differences, write } from './write.js'

const top =
  process.argv.slice(2).find((word) => !word.startsWith('-')) ?? fileURLToPath(new URL('../../..', import.meta.url))
const isCheck = process.argv.includes('--check')

try {
  const outputs: Contents = new Map([
    ...outputsFor(join(top)),
    ...(await deflateOutput(top)),
    ...(await preprocessOutput(top)),
  ])
  if (isCheck) report(differences(top, outputs))
  else write(top, outputs)
} catch (error) {
  if (!(error instanceof GeneratorError)) throw error
  for (const line of error.lines) console.error(line)
  process.exitCode = 1
}

function report(found: readonly string[]): void {
  for (const line of found) console.error(line)
  if (found.length === 0) return
  console.error('What is generated is not what is committed. Run npm run generate and commit the result.')
  process.exitCode = 1
}

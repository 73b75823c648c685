import { BuilderError, RunError } from '../errors.js'
import { errorAt, placeOf, pointAt } from './point-at.js'
import type { Position } from './syntax.js'

/** An error of a verb with the place of the instruction that it happened in; what has its place already stays as it is. */
export function withPlace(error: unknown, position: Position): unknown {
  if (!(error instanceof BuilderError) || error.object.startsWith(`${position.file}:`)) return error
  const { operation, object, reason, hint, cause } = error
  const about = operation === 'build' ? object : `${operation} ${object}`
  const said = about.trim() === '' ? reason : `${about.trim()}: ${reason}`
  if (!(error instanceof RunError))
    return errorAt(position, { operation: 'build', reason: said, ...(hint ? { hint } : {}), cause }, error.code)
  const { argv, exitCode, stdout, stderr } = error
  return new RunError({
    operation: 'build',
    object: placeOf(position),
    reason: `${said}${hint ? `; ${hint}` : ''}\n${pointAt(position)}`,
    ...{ argv, exitCode, stdout, stderr, cause },
  })
}

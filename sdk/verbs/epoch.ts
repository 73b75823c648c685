import { BuilderError } from '../errors.js'

/**
 * The time that an image gets, and that no file of its new layer is younger than, in seconds since 1970; undefined: now.
 * Throws `USAGE`. Source: reproducible-builds.org, SOURCE_DATE_EPOCH specification 1.1.
 */
export function epochOf(
  { timestamp, sourceDateEpoch }: { readonly timestamp?: number; readonly sourceDateEpoch?: number },
  operation = 'commit',
): number | undefined {
  const text = timestamp ?? sourceDateEpoch ?? process.env.SOURCE_DATE_EPOCH
  if (text === undefined || text === '') return undefined
  const epoch = Number(text)
  if (Number.isSafeInteger(epoch) && epoch >= 0 && epoch < 253402300800) return epoch
  const given = [
    ...(timestamp === undefined ? [] : ['--timestamp']),
    ...(sourceDateEpoch === undefined ? [] : ['--source-date-epoch']),
  ]
  throw new BuilderError('USAGE', {
    operation,
    object: given.length > 0 ? `${given[0]} ${text}` : `SOURCE_DATE_EPOCH=${text}`,
    reason: 'it is not a number of seconds since 1970',
    hint: 'set it for example to $(git log -1 --format=%ct)',
  })
}

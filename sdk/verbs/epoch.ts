import { BuilderError } from '../errors.js'

/** The options that say what time an image has. */
export interface EpochOptions {
  timestamp?: number
  sourceDateEpoch?: number
}

/**
 * The time of an image in seconds since 1970: what an option says, or `SOURCE_DATE_EPOCH`. Throws `USAGE`.
 * Source: reproducible-builds.org, SOURCE_DATE_EPOCH specification 1.1.
 */
export function epochOf({ timestamp, sourceDateEpoch }: EpochOptions, operation: string): number | undefined {
  const text = timestamp ?? sourceDateEpoch ?? process.env.SOURCE_DATE_EPOCH
  if (text === undefined || text === '') return undefined
  const epoch = /^\d+$/.test(String(text)) ? Number(text) : Number.NaN
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

import { checkOptions } from '../containerfile/check-options.js'
import { lint } from '../containerfile/lint.js'
import { errorAt } from '../containerfile/point-at.js'
import type { Warning } from '../containerfile/syntax.js'
import type { Building } from './build-job.js'

/** What the linter says of the file. */
export interface Checked {
  readonly warnings: readonly Warning[]
  /** 1 when the file says that findings are errors, and there are some. */
  readonly exitCode?: number
}

/**
 * Lints the file, and tells what it finds. Throws `INVALID` for the first finding where the file says `# check=error=true`, unless
 * the build is for the findings alone.
 */
export function checkFile({ file, ignore, options, progress }: Building): Checked {
  const warnings = lint(file, ignore ? { ignoreRules: ignore.rules } : {})
  const [first] = warnings
  const isError = first !== undefined && checkOptions(file).error
  if (options.check) return { warnings, ...(isError ? { exitCode: 1 } : {}) }
  if (isError) {
    const more = warnings.length > 1 ? ` (and ${warnings.length - 1} more)` : ''
    const hint = 'the file says # check=error=true; see builder build --check'
    throw errorAt(first.position, { operation: 'build', reason: `${first.rule}: ${first.message}${more}`, hint })
  }
  for (const { rule, message, position } of warnings)
    progress.note({ type: 'warning', time: Date.now(), message: `${rule}: ${message}`, position })
  return { warnings }
}

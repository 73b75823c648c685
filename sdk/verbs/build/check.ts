import { checkOptions } from '../../containerfile/check-options.js'
import { lint } from '../../containerfile/lint.js'
import { baseImages } from '../../containerfile/lint-globals.js'
import { findNamedContext } from '../../containerfile/named-context.js'
import { errorAt } from '../../containerfile/point-at.js'
import type { Warning } from '../../containerfile/syntax.js'
import { BuilderError } from '../../errors.js'
import { findImage } from '../../store/images.js'
import type { Building } from './job.js'

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
export async function checkFile(building: Building): Promise<Checked> {
  const { file, given, ignore, options, progress } = building
  const known = await environments(building)
  const warnings = lint(file, {
    ...{ given, strict: options.check === true },
    environmentOf: (image) => known.get(image),
    ...(ignore ? { ignoreRules: ignore.rules } : {}),
  })
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

/** What the base images that are in the store set with ENV; nothing is pulled for it. */
async function environments({
  store,
  file,
  given,
  contexts,
}: Building): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = baseImages(file, { given }).filter((name) => !findNamedContext(contexts, name))
  const found = names.map(async (name) => {
    try {
      const { config } = await findImage(store, name, 'build')
      return [[name, config.config?.Env ?? []] as const]
    } catch (error) {
      if (error instanceof BuilderError) return []
      throw error
    }
  })
  return new Map((await Promise.all(found)).flat())
}

import type { BuildJob } from '../../containerfile/job.js'
import { BuilderError } from '../../errors.js'
import type { Digest } from '../../image/digest.js'
import type { ImportedSteps } from '../../steps/import.js'
import type { Store } from '../../store/store.js'
import type { RegistryOptions } from '../../transport/registry/access.js'
import { transportOf } from '../../transport/transport-text.js'
import type { BuildOptions } from './options.js'
import type { BuildProgress } from './progress.js'

/** The caches of other machines in a build. */
export interface BuildCache extends AsyncDisposable, Pick<BuildJob, 'imported' | 'onKept'> {
  /** Writes the steps of the build to where the options say. Throws what writing an image there throws. */
  write(): Promise<void>
}

/**
 * Opens the caches that a build may take steps from. One that is not there is a warning: the first build writes it. Throws
 * `USAGE` for a place of the wrong form, `INVALID` for an image that is no cache, and what opening it throws.
 */
export async function openCaches(store: Store, options: BuildOptions, progress: BuildProgress): Promise<BuildCache> {
  const sources = (options.check ? [] : (options.cacheFrom ?? [])).map((text) => placeOf(text, '--cache-from'))
  const destinations = (options.cacheTo ?? []).map((text) => placeOf(text, '--cache-to'))
  const { signal } = options
  const common = { registry: registryOf(options), ...(signal ? { signal } : {}) }
  const imported: ImportedSteps[] = []
  const keys = new Set<Digest>()
  const close = async () => {
    for (const one of imported) await one[Symbol.asyncDispose]()
  }
  try {
    for (const source of sources) {
      // Loaded only here and in `write`: they bring every transport along.
      const { openImportedSteps } = await import('../../steps/import.js')
      const opened = await openImportedSteps(store, source, common).catch((error) => notThere(error, source, progress))
      if (opened) imported.push(opened)
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    imported,
    onKept: (key) => void keys.add(key),
    async write() {
      if (destinations.length === 0) return
      const { exportSteps } = await import('../../steps/export.js')
      for (const destination of destinations) await exportSteps(store, keys, destination, common)
    },
    [Symbol.asyncDispose]: close,
  }
}

function notThere(error: unknown, source: string, { note }: BuildProgress): undefined {
  if (!(error instanceof BuilderError) || error.code !== 'NOT_FOUND') throw error
  const message = `there is no cache ${source} yet: ${error.reason}; the build goes on without it`
  note({ type: 'warning', time: Date.now(), message })
}

/** `transport:path`, a name in a registry, or docker's `type=registry,ref=NAME` and `type=local,src=DIR`. */
function placeOf(text: string, flag: '--cache-from' | '--cache-to'): string {
  if (transportOf(text)) return text
  if (!text.includes('=')) return `docker://${text}`
  const fields = new Map(text.split(',').map((field) => field.split(/=(.*)/s, 2) as [string, string]))
  const type = fields.get('type') ?? 'registry'
  const ref = fields.get('ref')
  if (type === 'registry' && ref) return `docker://${ref}`
  const folder = fields.get(flag === '--cache-from' ? 'src' : 'dest')
  if (type === 'local' && folder) return `oci:${folder}`
  const known = type === 'registry' || type === 'local'
  throw new BuilderError(known ? 'USAGE' : 'UNSUPPORTED', {
    operation: `build ${flag}`,
    object: text,
    reason: known ? 'it does not say where the cache is' : `there is no cache of type ${type}`,
    hint: `write ${flag} docker://REGISTRY/NAME, or any other transport, as oci:FOLDER`,
  })
}

function registryOf(options: BuildOptions): RegistryOptions {
  const { authfile, creds, tlsVerify, certDir, registriesConf, registriesConfDir, shortNameAliasConf } = options
  const all = { authfile, creds, tlsVerify, certDir, registriesConf, registriesConfDir, shortNameAliasConf }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

import type { ImageFiles } from '../store/image-files.js'

/** What an image says it is. Source: os-release(5). */
export interface Distribution {
  /** `fedora`, `debian`. */
  readonly id: string
  /** `40`, `12`; absent where there are no releases. */
  readonly version?: string
  /** For people: `Fedora Linux 40`. */
  readonly name?: string
}

/** Reads `etc/os-release`, or `usr/lib/os-release`; undefined when neither names an ID. Throws `UNSAFE`. */
export function readDistribution(files: ImageFiles): Distribution | undefined {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    using file = files.open(path)
    if (!file) continue
    const values = valuesOf(file.read(0, 64 * 1024).toString('utf8'))
    const [id, version, name] = ['ID', 'VERSION_ID', 'PRETTY_NAME'].map((key) => values.get(key))
    // The characters that os-release(5) permits for both.
    if (!id || !/^[a-z0-9._-]+$/.test(id)) return undefined
    const known = version && /^[a-z0-9._-]+$/i.test(version) ? { version } : {}
    return { id, ...known, ...(name ? { name } : {}) }
  }
  return undefined
}

/** Lines of shell assignments, in quotes or not. */
function valuesOf(text: string): ReadonlyMap<string, string> {
  const lines = [...text.matchAll(/^([A-Z_0-9]+)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(.*))$/gm)]
  return new Map(
    lines.map(([, key = '', double, single, bare = '']) => [
      key,
      double?.replace(/\\(.)/g, '$1') ?? single ?? bare.trim(),
    ]),
  )
}

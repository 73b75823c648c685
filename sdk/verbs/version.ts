import type { GlobalOptions } from './global.js'

/** Options of {@link version}. */
export interface VersionOptions extends GlobalOptions {
  /** Print JSON. */
  json?: boolean
}

/** What this builder is. */
export interface VersionResult {
  readonly version: string
  /** Version of Node. */
  readonly node: string
  /** Versions of the specifications that images follow. */
  readonly imageSpec: string
  readonly runtimeSpec: string
  /** os/arch of this machine. */
  readonly platform: string
}

/** The version of this package; a test holds it against package.json. */
export const packageVersion = '0.1.0'

/**
 * Prints the version.
 *
 * @verb
 * @where outside
 * @offline
 * @stdout Versions of builder, of Node and of the specifications, a line each; JSON with --json.
 * @example
 * ```sh
 * builder version
 * ```
 * @example
 * ```ts
 * import { version } from 'builder-sdk'
 * console.log((await version()).version)
 * ```
 */
export async function version(_options: VersionOptions = {}): Promise<VersionResult> {
  return {
    version: packageVersion,
    node: process.versions.node,
    imageSpec: '1.1.0',
    runtimeSpec: '1.0.2',
    platform: `${process.platform}/${process.arch}`,
  }
}

/** What the shell door prints. */
export function present(result: VersionResult, options: VersionOptions): string {
  if (options.json) return JSON.stringify(result, null, 2)
  const { version: own, node, imageSpec, runtimeSpec, platform } = result
  return [`builder ${own}`, `node ${node}`, `image-spec ${imageSpec}`, `runtime-spec ${runtimeSpec}`, platform].join(
    '\n',
  )
}

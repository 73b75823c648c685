import type { Context } from '../containerfile/context.js'
import type { FoundContainerfile } from '../containerfile/find-containerfile.js'
import { parseContainerfile } from '../containerfile/parse.js'
import { plainSource } from '../containerfile/source-text.js'
import type { Containerfile } from '../containerfile/syntax.js'
import type { BuildOptions } from './build-options.js'

/** Parses a Containerfile, through the preprocessor where that is asked for. Throws `INVALID`, with the place. */
export async function readContainerfile(
  found: FoundContainerfile,
  _context: Context,
  _options: BuildOptions,
): Promise<Containerfile> {
  return parseContainerfile(plainSource(found.text, found.name))
}

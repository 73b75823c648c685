import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bashCompletion } from './completion-bash.js'
import { fishCompletion } from './completion-fish.js'
import { zshCompletion } from './completion-zsh.js'
import { launcherSource } from './launcher.js'
import { manIndex, manPage, pageName } from './man.js'
import { fileName, referenceIndex, referencePage } from './markdown.js'
import { readVerbs } from './read.js'
import { tableSource } from './table.js'

/** Paths below the project's top folder, and what each file is to hold. */
export type Outputs = ReadonlyMap<string, string>

/** Everything that is made from `sdk/verbs/` below a folder. Throws a GeneratorError. */
export function outputsFor(top: string): Outputs {
  const { version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as { version: string }
  const sources = readVerbs(top)
  const shown = sources.verbs.filter(({ hidden }) => !hidden)
  return new Map([
    ['bin/verbs.gen.ts', tableSource(sources, version)],
    ['bin/verbs.gen.sh', launcherSource(sources)],
    ['bin/completion/builder.bash', bashCompletion(sources)],
    ['bin/completion/builder.zsh', zshCompletion(sources)],
    ['bin/completion/builder.fish', fishCompletion(sources)],
    ['docs/reference/README.md', referenceIndex(sources)],
    ['docs/man/builder.1', manIndex(sources)],
    ...shown.map((verb) => [`docs/reference/${fileName(verb)}`, referencePage(verb)] as const),
    ...shown.map((verb) => [`docs/man/${pageName(verb)}.1`, manPage(verb)] as const),
  ])
}

/** The recipe of 13 verbs as a TypeScript script. In a session and cold: session.bench.ts. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pair, type Row } from './pair.js'
import { call, newPlace, top } from './places.js'
import { recipe13 } from './recipe-script.js'

const runs = 7

export async function measure(): Promise<readonly Row[]> {
  const place = newPlace()
  try {
    copyFileSync('/bin/busybox', join(place.folder, 'sh'))
    writeFileSync(join(place.folder, 'page'), 'hello\n')
    const recipe = join(place.folder, 'recipe.sh')
    writeFileSync(recipe, recipe13)
    const shell = (tool: readonly string[]) => ({
      run: async () => void call(['bash', recipe, place.folder, ...tool], place),
      after: async () => void call([...tool, 'rmi', '-f', 'recipe'], place),
    })
    const typescript = {
      run: async () => void call([process.execPath, join(top, 'dist/test/bench/recipe.js'), place.folder], place),
      after: async () => void call([...place.ours, 'rmi', '-f', 'recipe'], place),
    }
    const peer = 'buildah, bash'
    return [
      {
        work: '13 verbs, a TypeScript script',
        peer,
        ...(await pair(typescript, shell(place.buildah), runs)),
        aim: '0.25 s',
      },
    ]
  } finally {
    place.remove()
  }
}

/** The recipe of 13 verbs: from, 3 config, 2 copy, 5 run, 2 config, commit --rm. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pair, type Row } from './pair.js'
import { call, newPlace, top } from './places.js'

const runs = 7

export async function measure(): Promise<readonly Row[]> {
  const place = newPlace()
  try {
    copyFileSync('/bin/busybox', join(place.folder, 'sh'))
    writeFileSync(join(place.folder, 'page'), 'hello\n')
    const recipe = join(place.folder, 'recipe.sh')
    writeFileSync(recipe, script)
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
      { work: '13 verbs, bash, cold verbs', peer, ...(await pair(shell(place.ours), shell(place.buildah), runs)) },
    ]
  } finally {
    place.remove()
  }
}

const script = `set -e
folder=$1; shift
c=$("$@" from scratch)
"$@" config --env A=1 "$c"
"$@" config --label l=1 "$c"
"$@" config --workingdir / "$c"
"$@" copy -q "$c" "$folder/sh" /bin/sh
"$@" copy -q "$c" "$folder/page" /page
for i in 1 2 3 4 5; do "$@" run "$c" -- /bin/sh -c "echo $i >/file$i"; done
"$@" config --cmd /bin/sh "$c"
"$@" config --port 80 "$c"
"$@" commit -q --rm "$c" recipe >/dev/null
`

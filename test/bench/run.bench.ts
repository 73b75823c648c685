/** One command in a container, and verbs as the shell calls them. */
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { from } from 'builder-sdk'
import { alone, pair, type Row } from './pair.js'
import { call, newPlace } from './places.js'

const runs = 15

export async function measure(): Promise<readonly Row[]> {
  const place = newPlace()
  Object.assign(process.env, { BUILDER_ROOT: place.env.BUILDER_ROOT, BUILDER_RUNROOT: place.env.BUILDER_RUNROOT })
  try {
    const bin = join(place.folder, 'bin')
    mkdirSync(bin)
    copyFileSync('/bin/busybox', join(bin, 'busybox'))
    for (const name of ['true', 'sh']) symlinkSync('busybox', join(bin, name))
    const [ours, theirs] = [place.ours, place.buildah].map((tool) => {
      const container = call([...tool, 'from', 'scratch'], place)
      call([...tool, 'copy', '-q', container, bin, '/bin'], place)
      return container
    }) as [string, string]
    const container = await from('scratch')
    await container.copy(bin, '/bin')
    const inScript = async () => void (await container.run(['true'], { quiet: true }))
    const buildahRun = async () => void call([...place.buildah, 'run', theirs, '--', 'true'], place)
    const shell =
      (tool: readonly string[], ...words: string[]) =>
      async () =>
        void call([...tool, ...words], place)
    const rows: Row[] = [
      {
        work: 'run true in a TypeScript script',
        peer: 'buildah run (chroot)',
        ...(await pair(inScript, buildahRun, runs)),
        aim: '25 ms',
      },
      {
        work: 'run true, shell verb, cold',
        peer: 'buildah run (chroot)',
        ...(await pair(shell(place.ours, 'run', ours, '--', 'true'), buildahRun, runs)),
      },
      {
        work: 'config in a TypeScript script',
        ...(await alone(() => container.config({ env: ['A=1'] }), runs)),
        aim: '5 ms',
      },
    ]
    for (const words of [['config', '--env', 'A=1'], ['inspect'], ['images'], ['containers']]) {
      const named = (c: string) => (words.length > 1 || words[0] === 'inspect' ? [...words, c] : words)
      const peer = await pair(shell(place.ours, ...named(ours)), shell(place.buildah, ...named(theirs)), runs)
      rows.push({ work: `${words[0]}, shell verb, cold`, peer: `buildah ${words[0]}`, ...peer })
    }
    await container.remove()
    return rows
  } finally {
    place.remove()
  }
}

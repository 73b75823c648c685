/** One command in a container from TypeScript. Verbs as the shell calls them: session.bench.ts. */
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
    const theirs = call([...place.buildah, 'from', 'scratch'], place)
    call([...place.buildah, 'copy', '-q', theirs, bin, '/bin'], place)
    const container = await from('scratch')
    await container.copy(bin, '/bin')
    const inScript = async () => void (await container.run(['true'], { quiet: true }))
    const buildahRun = async () => void call([...place.buildah, 'run', theirs, '--', 'true'], place)
    const rows: Row[] = [
      {
        work: 'run true in a TypeScript script',
        peer: 'buildah run (chroot)',
        ...(await pair(inScript, buildahRun, runs)),
        aim: '25 ms',
      },
      {
        work: 'config in a TypeScript script',
        ...(await alone(() => container.config({ env: ['A=1'] }), runs)),
        aim: '5 ms',
      },
    ]
    await container.remove()
    return rows
  } finally {
    place.remove()
  }
}

import { randomBytes } from 'node:crypto'
import { mkdirSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builder, command, lane, removeTree, top } from '../lane.js'
import { startEngine } from '../transport/engine.js'

/** The tool that a Containerfile's result is compared with: BuildKit, which needs root, else buildah. */
export interface Reference extends AsyncDisposable {
  readonly name: 'BuildKit' | 'buildah'
  /** How many builds may run at once. */
  readonly places: number
  /** Gives it an image of builder's store under the same name. */
  give(image: string, store: string): Promise<void>
  /** Builds an image. Throws what the tool said. */
  build(name: string, file: string, context: string, args: readonly string[]): Promise<void>
  /** Brings what was built into builder's store, as `reference-NAME`. */
  bring(names: readonly string[], store: string): Promise<void>
}

export function startReference(): Promise<Reference> {
  return lane() === 'root' ? startBuildKit() : startBuildah()
}

async function startBuildKit(): Promise<Reference> {
  const engine = await startEngine()
  const env = { DOCKER_HOST: engine.host, DOCKER_BUILDKIT: '1' }
  return {
    name: 'BuildKit',
    places: 3,
    async give(image, store) {
      await must(builder(['push', image, `docker-daemon:${image}:latest`], { store, env }))
    },
    async build(name, file, context, args) {
      const words = ['build', '--network', 'host', '-q', '-t', `reference-${name}`, '-f', file, ...args, context]
      await must(command(['/usr/bin/docker', ...words], { env }))
    },
    async bring(names, store) {
      const pull = 'for n; do "$B" pull -q "docker-daemon:reference-$n:latest" >/dev/null; done'
      await must(inSession(pull, names, store, env))
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }
}

/**
 * buildah waits for the end of a second in every commit, so there are several storages, each of which builds one at a time.
 * They are in memory where there is enough, for it also waits for the disk.
 */
async function startBuildah(): Promise<Reference> {
  const folder = join(hasRoom('/dev/shm') ? '/dev/shm' : tmpdir(), `buildah-${randomBytes(4).toString('hex')}`)
  mkdirSync(join(folder, 'tmp'), { recursive: true })
  const env = { BUILDAH_ISOLATION: 'chroot', TMPDIR: join(folder, 'tmp') }
  const run = (storage: string, ...words: readonly string[]) => {
    const places = ['--root', join(folder, storage), '--runroot', join(folder, `${storage}-run`)]
    return must(command(['buildah', '--storage-driver', 'vfs', ...places, ...words], { env }))
  }
  const free = Array.from({ length: places }, (_, i) => `storage${i}`)
  return {
    name: 'buildah',
    places,
    async give(image, store) {
      await must(builder(['push', image, `oci:${folder}/given:${image}`], { store }))
      for (const storage of free) {
        const id = await run(storage, 'pull', '-q', `oci:${folder}/given:${image}`)
        await run(storage, 'tag', id.trim(), `localhost/${image}`)
      }
    },
    async build(name, file, context, args) {
      const storage = free.pop()
      if (storage === undefined) throw new Error(`more than ${places} builds at once`)
      try {
        await run(storage, 'build', '-q', '--format', 'docker', '-t', name, '-f', file, ...args, context)
        const at = join(folder, 'out', name)
        mkdirSync(at, { recursive: true })
        await run(storage, 'push', '-q', `localhost/${name}`, `dir:${at}`)
        await run(storage, 'rmi', '-f', `localhost/${name}`)
      } finally {
        free.push(storage)
      }
    },
    async bring(names, store) {
      const pull = 'for n; do "$B" tag "$("$B" pull -q "dir:$F/out/$n")" "reference-$n"; done'
      await must(inSession(pull, names, store, { F: folder }))
    },
    [Symbol.asyncDispose]: async () => removeTree(folder),
  }
}

const places = 6

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize > 1e9
  } catch {
    return false
  }
}

function inSession(script: string, words: readonly string[], store: string, env: Readonly<Record<string, string>>) {
  const all = { ...env, B: join(top, 'bin/builder') }
  return builder(['unshare', 'sh', '-ec', script, 'sh', ...words], { store, env: all })
}

async function must(running: Promise<{ stdout: string; stderr: string; code: number }>): Promise<string> {
  const { stdout, stderr, code } = await running
  if (code !== 0) throw new Error(stderr || stdout)
  return stdout
}

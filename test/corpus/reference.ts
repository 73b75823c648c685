import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builder, command, lane, removeTree, top } from '../lane.js'
import { startEngine } from '../transport/engine.js'

/** The tool that a Containerfile's result is compared with: BuildKit, which needs root, else buildah. */
export interface Reference extends AsyncDisposable {
  readonly name: 'BuildKit' | 'buildah'
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

async function startBuildah(): Promise<Reference> {
  const folder = join(tmpdir(), `buildah-${randomBytes(4).toString('hex')}`)
  mkdirSync(join(folder, 'tmp'), { recursive: true })
  const storage = ['--storage-driver', 'vfs', '--root', join(folder, 'root'), '--runroot', join(folder, 'run')]
  const env = { BUILDAH_ISOLATION: 'chroot', TMPDIR: join(folder, 'tmp') }
  return {
    name: 'buildah',
    async give(image, store) {
      await must(builder(['push', image, `oci:${folder}/given:${image}`], { store }))
      const id = await must(command(['buildah', ...storage, 'pull', '-q', `oci:${folder}/given:${image}`], { env }))
      await must(command(['buildah', ...storage, 'tag', id.trim(), `localhost/${image}`], { env }))
    },
    async build(name, file, context, args) {
      const words = ['build', '-q', '--format', 'docker', '-t', `reference-${name}`, '-f', file, ...args, context]
      await must(command(['buildah', ...storage, ...words], { env }))
      const at = join(folder, 'out', name)
      mkdirSync(at, { recursive: true })
      await must(command(['buildah', ...storage, 'push', '-q', `localhost/reference-${name}`, `dir:${at}`], { env }))
    },
    async bring(names, store) {
      const pull = 'for n; do "$B" tag "$("$B" pull -q "dir:$F/out/$n")" "reference-$n"; done'
      await must(inSession(pull, names, store, { F: folder }))
    },
    [Symbol.asyncDispose]: async () => removeTree(folder),
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

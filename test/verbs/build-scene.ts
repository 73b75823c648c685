import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type BuildOptions, type BuildResult, build, from } from '../../sdk/index.js'
import { type BuilderOptions, builder, command, type Ran } from '../lane.js'

/** A context, and a store whose image `base` has busybox as /bin. */
export interface BuildScene {
  readonly context: string
  readonly store: string
  /** The store, as options of every verb. */
  readonly places: { readonly root: string; readonly runroot: string }
  /** Writes a file of the context. */
  write(name: string, text: string): void
  /** Builds a Containerfile of these lines in the context. */
  build(lines: string, options?: BuildOptions): Promise<BuildResult>
  /** The same by the command line. */
  command(lines: string, words?: readonly string[], options?: BuilderOptions): Promise<Ran>
  /** What a command of the image prints. */
  inImage(image: string, line: string): Promise<string>
  /** Any command line that has to succeed. */
  said(...words: readonly string[]): Promise<string>
}

const applets =
  'sh cat echo ls mkdir rm ln touch sleep true false stat find chown chmod id env test printf head dd grep wc pwd'

/** Prepares a folder for builds. */
export async function buildScene(folder: string): Promise<BuildScene> {
  const [store, context] = [join(folder, 'store'), join(folder, 'context')]
  const places = { root: join(store, 'root'), runroot: join(store, 'run') }
  mkdirSync(join(folder, 'files'))
  mkdirSync(context)
  let number = 0
  const scene: BuildScene = {
    ...{ context, store, places },
    write(name, text) {
      mkdirSync(dirname(join(context, name)), { recursive: true })
      writeFileSync(join(context, name), text)
    },
    build(lines, options = {}) {
      const file = join(folder, 'files', `Containerfile.${++number}`)
      writeFileSync(file, `${lines}\n`)
      return build(context, { ...places, file, progress: 'none', ...options })
    },
    command: (lines, words = [], options = {}) =>
      builder(['build', '-f', '-', ...words, context], { store, input: `${lines}\n`, ...options }),
    async inImage(image, line) {
      await using c = await from(image, places)
      const { stdout } = await c.run(['sh', '-c', line], { quiet: true })
      return stdout.replace(/\n$/, '')
    },
    async said(...words) {
      const { code, stdout, stderr } = await builder(words, { store })
      assert.equal(code, 0, stderr)
      return stdout.replace(/\n$/, '')
    },
  }
  await makeBase(scene, join(folder, 'tools/bin'))
  return scene
}

async function makeBase({ places }: BuildScene, tools: string): Promise<void> {
  mkdirSync(tools, { recursive: true })
  copyFileSync((await command(['sh', '-c', 'command -v busybox'])).stdout.trim(), join(tools, 'busybox'))
  for (const name of applets.split(' ')) symlinkSync('busybox', join(tools, name))
  await using c = await from('scratch', places)
  await c.copy(dirname(tools), '/')
  await c.config({ env: ['PATH=/bin'] })
  await c.commit('base', { quiet: true })
}

/** A store with an image of a shell and a package database, made by dnf from the test repository. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import type { BuilderOptions } from '../lane.js'
import { newScene, type Scene } from '../proof/scene.js'
import { rpmEpoch } from './rpm-repository.js'

export interface DnfScene extends Scene {
  /** A new container, removed with the store. */
  from(image: string): Promise<string>
  /** Calls `dnf`, which must fail with a message that the patterns match, and leave the container and the store as they were. */
  leaves(container: string, words: readonly string[], says: readonly RegExp[], options?: BuilderOptions): Promise<void>
}

/** A new store for the test file; all times in it are those of the packages. */
export function newDnfScene(): DnfScene {
  process.env.SOURCE_DATE_EPOCH = String(rpmEpoch)
  const scene = newScene({ after: (end) => after(end as () => void) })
  return {
    ...scene,
    from: (image) => scene.ok(['from', image]),
    async leaves(container, words, says, options) {
      const id = await scene.ok(['inspect', '--type', 'container', '-f', '{{.ContainerID}}', container])
      const upper = () => readdirSync(join(scene.root, 'containers', id, 'upper/diff'), { recursive: true })
      const before = upper()
      const { code, stdout, stderr } = await scene.run(['dnf', container, ...words], options)
      assert.notEqual(code, 0, stderr)
      assert.equal(stdout, '')
      const message = stderr.slice(stderr.indexOf('builder: '))
      for (const pattern of says) assert.match(message, pattern)
      assert.doesNotMatch(message, /This is a bug|\n\s+at |Traceback/)
      assert.deepEqual(upper(), before, 'the container has changed')
      assert.deepEqual(readdirSync(join(scene.root, 'tmp')), [], 'something unfinished is left')
    },
  }
}

/** What every call needs for a repository whose packages nobody signed. */
export function unsigned(url: string): readonly string[] {
  return ['--repo', `test=${url}`, '--nogpgcheck']
}

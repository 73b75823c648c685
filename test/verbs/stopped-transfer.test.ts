/** Ctrl-C while an image moves: the verb ends with 130, and nothing half-made stays. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { top } from '../lane.js'
import { newScene } from '../proof/scene.js'
import { startOwnRegistry } from '../transport/registry/own-registry.js'
import { sampleImage } from '../transport/sample.js'

const scene = newScene({ after: (end) => after(end as () => void) })

for (const verb of ['pull', 'from', 'image copy'] as const)
  test(`${verb} from a registry`, async () => {
    const { registry, reached } = await slowRegistry()
    await using _ = registry
    registry.hold(sampleImage(), '1')
    const place = `docker://${registry.host}/web:1`
    const words = {
      pull: ['pull', '-q', '--tls-verify=false', place],
      from: ['from', '-q', '--tls-verify=false', place],
      'image copy': ['image', 'copy', '-q', '--src-tls-verify=false', place, `oci:${scene.at('copied')}:x`],
    }[verb]
    assertStopped(await interrupted(words, reached))
    assert.equal(existsSync(scene.at('copied')), false)
    assert.equal(await scene.ok(['images', '-q']), '')
    assert.equal(await scene.ok(['containers', '-q']), '')
  })

for (const [verb, flag] of [
  ['push', '--tls-verify=false'],
  ['image copy', '--dest-tls-verify=false'],
] as const)
  test(`${verb} to a registry`, async () => {
    const { registry, reached } = await slowRegistry()
    await using _ = registry
    const c = await scene.ok(['from', 'scratch'])
    await scene.ok(['config', '--label', `verb=${verb}`, c])
    await scene.ok(['commit', '-q', '--rm', c, 'web'])
    const before = contentOf(join(scene.root, 'layers'))
    assertStopped(
      await interrupted([...verb.split(' '), '-q', flag, 'web', `docker://${registry.host}/web:1`], reached),
      before,
    )
    assert.equal(registry.manifests.size, 0)
  })

/** Runs a verb, interrupts it once it is at work, and gives how it ended and what it said. */
async function interrupted(words: readonly string[], atWork: Promise<unknown>) {
  const places = ['--root', scene.root, '--runroot', scene.at('run')]
  const child = spawn(join(top, 'bin/builder'), [...places, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
    })
  const ended = once(child, 'close')
  await Promise.race([atWork, ended])
  const began = performance.now()
  child.kill('SIGINT')
  const [status] = await ended
  assert.ok(performance.now() - began < 5000)
  return { ...said, status }
}

type Stopped = Awaited<ReturnType<typeof interrupted>>

function assertStopped({ status, stdout, stderr }: Stopped, layers: readonly string[] = []): void {
  assert.equal(status, 130, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, /^builder: .*: (stopped|it was stopped)[^\n]*\n$/)
  assert.deepEqual(contentOf(join(scene.root, 'tmp')), [])
  assert.deepEqual(contentOf(join(scene.root, 'layers')), layers)
}

function contentOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

/** A registry that tells when it is asked for, or sent, the bytes of a layer, and then does nothing more. */
async function slowRegistry() {
  const reached = deferred()
  const registry = await startOwnRegistry({
    instead(request, response, url) {
      const isPut = request.method === 'PATCH' || request.method === 'PUT'
      if (!isPut && !(request.method === 'GET' && url.pathname.includes('/blobs/sha256'))) return false
      if (isPut) request.once('data', () => reached.resolve(undefined))
      else response.writeHead(200).write('{', () => reached.resolve(undefined))
      return true
    },
  })
  return { registry, reached: reached.promise }
}

function deferred() {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise((done) => {
    resolve = done
  })
  return { promise, resolve }
}

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { builder, tempDir } from '../lane.js'

/** The image's name, and the digest of its manifest. */
export interface Labelled {
  readonly store: string
  /** The image as a folder. */
  readonly layout: string
  readonly digest: string
}

/** A store with the image `localhost/web:latest`, which has these labels and no files. Labels may hold what no command line can. */
export async function labelled(
  t: { after(end: () => void): void },
  labels: Readonly<Record<string, string>>,
): Promise<Labelled> {
  const [store, layout] = [tempDir(t), tempDir(t)]
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
  const blob = (value: unknown) => {
    const bytes = Buffer.from(JSON.stringify(value))
    const hex = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(join(layout, 'blobs/sha256', hex), bytes)
    return { digest: `sha256:${hex}`, size: bytes.length }
  }
  const rootfs = { type: 'layers', diff_ids: [] }
  const config = blob({ architecture: 'amd64', os: 'linux', config: { Labels: labels }, rootfs })
  const type = 'application/vnd.oci.image'
  const manifest = blob({
    ...{ schemaVersion: 2, mediaType: `${type}.manifest.v1+json`, layers: [] },
    config: { mediaType: `${type}.config.v1+json`, ...config },
  })
  const annotations = { 'org.opencontainers.image.ref.name': 'web' }
  const entry = { mediaType: `${type}.manifest.v1+json`, ...manifest, annotations }
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  const pulled = await builder(['pull', '-q', `oci:${layout}:web`], { store })
  assert.equal(pulled.code, 0, pulled.stderr)
  const tagged = await builder(['tag', pulled.stdout.trim(), 'web'], { store })
  assert.equal(tagged.code, 0, tagged.stderr)
  return { store, layout, digest: manifest.digest }
}

/** Where no policy is, neither the machine's nor that of the user who runs the tests. */
export function without(place: string): Readonly<Record<string, string>> {
  return { XDG_CONFIG_HOME: join(place, 'no-config') }
}

/** What all tests of a `describe` share: made before them, gone after them. */
export function once<Scene>(make: (t: { after(end: () => void): void }) => Promise<Scene>): () => Scene {
  const ends: (() => void)[] = []
  let made: Scene | undefined
  before(async () => {
    made = await make({ after: (end) => ends.push(end) })
  })
  after(() => {
    for (const end of ends) end()
  })
  return () => made as Scene
}

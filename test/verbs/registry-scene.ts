import { after } from 'node:test'
import { copyImage, openSink } from '../../sdk/transport/transport.js'
import { newScene, type Scene } from '../proof/scene.js'
import { type RegistryServer, type ServerOptions, startRegistry } from '../transport/registry/server.js'
import { type Bench, newBench, put, type Sample, sampleSource } from '../transport/sample.js'

/** A store that is used through the command, a real registry beside it, and a bench to make images with. */
export interface RegistryScene extends Scene {
  readonly server: RegistryServer
  readonly bench: Bench
  /** `docker://127.0.0.1:PORT/NAME`. */
  remote(name: string): string
  /** Puts a sample into the registry, an index with all its images. */
  upload(name: string, image: Sample): Promise<void>
  /** Writes a sample as an OCI layout and gives its location. */
  layout(name: string, image: Sample): Promise<string>
}

/** For a whole test file; everything ends with it. */
export async function newRegistryScene(options: ServerOptions = {}): Promise<RegistryScene> {
  const scene = newScene({ after: (end) => after(end as () => void) })
  const bench = await newBench()
  const server = await startRegistry(scene.at('registry'), options)
  after(async () => {
    await server[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })
  const remote = (name: string) => `docker://${server.host}/${name}`
  return {
    ...scene,
    server,
    bench,
    remote,
    async upload(name, image) {
      await using sink = await openSink(bench.store, remote(name), { registry: { tlsVerify: false } })
      await copyImage(sampleSource(image), sink, { all: true })
    },
    async layout(name, image) {
      const place = `oci:${scene.at(`layout-${name}`)}:${name}`
      await put(bench, image, place)
      return place
    },
  }
}

/** The registry speaks plain HTTP. */
export const insecure = '--tls-verify=false'

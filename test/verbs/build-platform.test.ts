import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { hostPlatform } from '../../sdk/image/platform.js'
import { type BuildOptions, build, containers, imageInspect, images, manifestInspect } from '../../sdk/index.js'
import { builder, command, needs, tempDir } from '../lane.js'
import { places } from '../sdk/rooted.js'

const folder = tempDir({ after })
const host = hostPlatform().architecture
/** Nothing that is packaged runs it. */
const foreign = host === 'loong64' ? 'mips64' : 'loong64'
const both = [`linux/${host},linux/${foreign}`]

before(() => {
  for (const name of ['context', 'native', 'foreign/bin', 'native/bin'])
    mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, 'context/a'), 'a')
  copyFileSync('/bin/busybox', join(folder, 'native/bin/sh'))
  // The head of a program for that machine: elf(5).
  const program = Buffer.alloc(64)
  program.write('\x7fELF\x02\x01\x01', 'latin1')
  program.writeUInt16LE(2, 16)
  program.writeUInt16LE(foreign === 'loong64' ? 258 : 8, 18)
  writeFileSync(join(folder, 'foreign/bin/sh'), program)
  for (const name of ['native', 'foreign']) chmodSync(join(folder, name, 'bin/sh'), 0o755)
})

let number = 0

function run(lines: readonly string[], options: BuildOptions = {}) {
  const file = join(folder, `cf${++number}`)
  writeFileSync(file, `${lines.join('\n')}\n`)
  const buildContext = ['native', 'foreign'].map((name) => `${name}=${folder}/${name}`)
  return build(join(folder, 'context'), { ...places, quiet: true, file, buildContext, ...options })
}

const copying = ['FROM scratch', 'ARG TARGETARCH', 'COPY a /$TARGETARCH']

test('several platforms become one list, which needs nothing that runs them', async () => {
  const out = join(folder, 'out')
  const [iidfile, metadataFile] = [join(folder, 'iid'), join(folder, 'metadata')]
  const options = { platform: both, tag: ['multi'], output: [out], iidfile, metadataFile }
  const { id, names, digest } = await run(copying, options)
  assert.deepEqual(names, ['localhost/multi:latest'])
  assert.equal(digest, `sha256:${id}`)
  assert.equal(readFileSync(iidfile, 'utf8'), digest)
  const { manifests } = (await manifestInspect('multi', places)) as {
    manifests: readonly { platform: { architecture: string } }[]
  }
  assert.deepEqual(
    manifests.map(({ platform }) => platform.architecture),
    [host, foreign],
  )
  assert.deepEqual(
    Object.keys(JSON.parse(readFileSync(metadataFile, 'utf8'))).sort(),
    [
      `containerimage.config.digest/linux/${host}`,
      `containerimage.config.digest/linux/${foreign}`,
      'containerimage.descriptor',
      'containerimage.digest',
      'image.name',
    ].sort(),
  )
  assert.deepEqual(readdirSync(join(out, `linux_${foreign}`)), [foreign])
  assert.deepEqual(readdirSync(join(out, `linux_${host}`)), [host])
})

test('the list goes out whole', async (t) => {
  if (!needs(t, 'skopeo')) return
  const [archive, merged] = [join(folder, 'multi.tar'), join(folder, 'merged')]
  const output = [`type=oci,dest=${archive}`, `type=local,platform-split=false,dest=${merged}`]
  const { digest } = await run(copying, { platform: both, tag: ['multi'], output })
  const { stdout } = await command(['skopeo', 'inspect', '--raw', `oci-archive:${archive}:latest`])
  assert.equal(JSON.parse(stdout).manifests.length, 2)
  assert.equal(JSON.parse((await command(['tar', '-xOf', archive, 'index.json'])).stdout).manifests[0].digest, digest)
  assert.deepEqual(readdirSync(merged).sort(), [host, foreign].sort())
})

test('a later build of one platform takes the name over', async () => {
  await run(copying, { platform: both, tag: ['taken'] })
  const { id } = await run(copying, { tag: ['taken'] })
  const found = (await images(undefined, places)).find(({ names }) => names.includes('localhost/taken:latest'))
  assert.equal(found?.id, id)
})

test('one foreign platform is one image, for it', async () => {
  await run(copying, { platform: [`linux/${foreign}`], tag: ['foreign'] })
  const { Architecture } = await imageInspect('foreign', places)
  assert.equal(Architecture, foreign)
})

test('a stage of the build platform makes what the others copy', async () => {
  const lines = [
    'FROM --platform=$BUILDPLATFORM scratch AS make',
    'ARG TARGETARCH',
    'COPY --from=native . /',
    'RUN echo for $TARGETARCH >/made',
    'FROM scratch',
    'COPY --from=make /made /',
  ]
  const out = join(folder, 'made')
  await run(lines, { platform: both, output: [out] })
  for (const one of [host, foreign]) assert.equal(readFileSync(join(out, `linux_${one}/made`), 'utf8'), `for ${one}\n`)
})

test('a program of this machine runs in an image of another', async () => {
  await run(['FROM scratch', 'COPY --from=native . /', 'RUN echo x >/x'], { platform: [`linux/${foreign}`] })
})

test('a program that nothing here runs is refused, with what to install', async () => {
  const lines = ['FROM scratch', 'COPY --from=foreign . /', 'RUN true']
  const says = new RegExp(
    `RUN for linux/${foreign}: this machine, ${host}, has nothing that runs its programs; install qemu-user-static and binfmt-support on`,
  )
  await assert.rejects(run(lines, { platform: [`linux/${foreign}`] }), { code: 'UNSUPPORTED', message: says })
})

test('a platform that fails stops the others, and nothing is left', async () => {
  const lines = [
    `FROM scratch`,
    'ARG TARGETARCH',
    'COPY --from=native . /',
    `RUN case $TARGETARCH in ${foreign}) exit 7 ;; esac; while :; do :; done`,
  ]
  await assert.rejects(run(lines, { platform: both }), { code: 'RUN', exitCode: 7 })
  assert.deepEqual(await containers(places), [])
  assert.deepEqual(readdirSync(join(places.root, 'tmp')), [])
})

test('--platform that is none is refused', async () => {
  const { stderr, code } = await builder(['build', '--platform', 'linux/', join(folder, 'context')])
  assert.equal(code, 125)
  assert.match(
    stderr,
    /^builder: read platform "linux\/": it is not os\/arch\[\/variant\]; write for example linux\/arm64/,
  )
})

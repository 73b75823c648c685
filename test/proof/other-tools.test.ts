import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { layoutFaults } from '../oci-rules.js'
import { type Others, others } from './others.js'
import { busyboxContainer, newScene, type Scene } from './scene.js'

const places = ['oci', 'oci-archive', 'docker-archive', 'dir'] as const

/** What the last layer's view must be, whoever shows it. */
const look = [
  'cd /data && ls -A && ls -A opaque',
  'stat -c "%a %u:%g %F" setuid owned',
  'test "$(stat -c %i one)" = "$(stat -c %i two)" && echo linked',
  'cat two "odd name" && readlink nowhere',
  'test ! -e removed && test ! -e folder && test ! -e opaque/old && echo gone',
].join('; ')

describe('an image of builder in the hands of others', () => {
  let scene: Scene
  let tools: Others
  let expected: string
  const hooks: (() => void)[] = []

  before(async () => {
    scene = newScene({ after: (fn) => void hooks.push(fn as () => void) })
    tools = others(scene)
    expected = await build(scene)
  })
  after(() => {
    for (const hook of hooks) hook()
  })

  it('the store holds to the rules of the OCI image specification', async () => {
    // What other tools read must be in blobs/: materialize writes what the store keeps as folders only.
    await scene.ok(['materialize', 'web'])
    assert.deepEqual(layoutFaults(scene.root), [])
  })

  it('skopeo reads the store itself', async () => {
    const source = `oci:${scene.root}:localhost/web:latest`
    const { Layers, Labels } = JSON.parse(await tools.ok('skopeo', 'inspect', source))
    assert.equal(Layers.length, 3)
    assert.equal(Labels.made, 'by shell')
    await tools.ok('skopeo', 'copy', source, `dir:${scene.at('copied')}`)
  })

  for (const kind of places)
    it(`skopeo reads what push writes: ${kind}`, async () => {
      const place = placeOf(scene, kind)
      await scene.ok(['push', '-q', 'web', place])
      const config = JSON.parse(await tools.ok('skopeo', 'inspect', '--config', place))
      assert.equal(config.rootfs.diff_ids.length, 3)
      if (kind === 'oci') assert.deepEqual(layoutFaults(scene.at('oci')), [])
    })

  it('podman loads and shows it', async () => {
    for (const kind of ['oci-archive', 'docker-archive']) await tools.ok('podman', 'load', '-i', scene.at(kind))
    const id = (await scene.ok(['images', '-q', '--no-trunc', 'web'])).replace('sha256:', '')
    const name = 'localhost/web:latest'
    assert.equal(await tools.ok('podman', 'image', 'inspect', '--format', '{{.Id}}', name), id)
    const script = `podman $FLAGS image mount ${name} >/dev/null && cd "$(podman $FLAGS image mount ${name})/data" && LC_ALL=C ls -A -q`
    const listed = await tools.inPodman(script)
    assert.equal(listed, expected.split('\n').slice(0, listed.split('\n').length).join('\n'))
    assert.doesNotMatch(listed, /removed|folder/)
  })

  it('buildah runs it with the same view', async () => {
    const c = await tools.ok('buildah', 'from', `oci:${scene.root}:localhost/web:latest`)
    assert.equal(await tools.ok('buildah', 'run', c, '--', 'sh', '-c', look), expected)
    assert.equal(await tools.ok('buildah', 'run', c, '--', 'sh', '-c', 'id -u'), '0')
    const xattrs = `getfattr -d -m - "$(buildah $FLAGS mount ${c})/data/empty"; getcap "$(buildah $FLAGS mount ${c})/data/empty"`
    const shown = await tools.inBuildah(xattrs)
    assert.match(shown, /user\.builder="kept"/)
    assert.match(shown, /cap_net_bind_service/)
  })

  it('builder reads and runs what others made', async () => {
    const c = await tools.ok('buildah', 'from', `oci:${scene.root}:localhost/web:latest`)
    await tools.ok('buildah', 'run', c, '--', 'sh', '-c', 'rm -r /data/opaque; echo theirs > /data/theirs')
    await tools.ok('buildah', 'config', '--cmd', 'cat /data/theirs', c)
    const made: Record<string, string> = {}
    for (const kind of places) {
      made[`buildah ${kind}`] = `${kind}:${scene.at(`theirs-${kind}`)}${kind === 'dir' ? '' : ':theirs'}`
      await tools.ok('buildah', 'commit', '-q', c, made[`buildah ${kind}`] as string)
    }
    for (const format of ['gzip', 'zstd']) {
      made[`skopeo ${format}`] = `oci:${scene.at(format)}:x`
      const how = ['--dest-compress', '--dest-compress-format', format]
      await tools.ok('skopeo', 'copy', ...how, made['buildah oci-archive'] as string, `oci:${scene.at(format)}:x`)
    }
    for (const [title, place] of Object.entries(made)) {
      const id = await scene.ok(['pull', place])
      const mine = await scene.ok(['from', place])
      assert.equal(await scene.ok(['run', mine]), 'theirs', title)
      assert.equal(
        await scene.ok(['run', mine, '--', 'sh', '-c', 'ls -d /data/o*']),
        '/data/odd name\n/data/one\n/data/owned',
        title,
      )
      assert.match(id, /^[0-9a-f]{64}$/)
      await scene.ok(['rm', mine])
    }
    assert.equal((await scene.run(['check', '--deep'])).stdout.split(':')[0], 'the store is whole')
  })
})

function placeOf(scene: Scene, kind: (typeof places)[number]): string {
  return `${kind}:${scene.at(kind)}${kind === 'dir' ? '' : ':localhost/web:latest'}`
}

/** Three layers by the shell's verbs; gives what {@link look} prints in builder's own view. */
async function build(scene: Scene): Promise<string> {
  await busyboxContainer(scene)
  const inContainer = (...lines: string[]) => scene.ok(['run', 'base', '--', 'sh', '-c', `set -e; ${lines.join('; ')}`])
  mkdirSync(scene.at('files'))
  for (const name of ['removed', 'one', 'setuid', 'owned', 'odd name', 'empty'])
    writeFileSync(scene.at(`files/${name}`), `${name}\n`)
  await scene.ok(['copy', '-q', 'base', scene.at('files'), '/data'])
  await inContainer('mkdir /data/folder /data/opaque', 'echo > /data/folder/in', 'echo > /data/opaque/old')
  await scene.ok(['commit', 'base', 'first'])
  await inContainer(
    'cd /data',
    'rm removed',
    'rm -r folder opaque',
    'mkdir opaque',
    'echo new > opaque/new',
    'ln one two',
    'ln -s /no/where nowhere',
    'echo x > "$(printf "new\\\\nname")"',
  )
  await scene.ok(['commit', 'base', 'second'])
  await inContainer('cd /data', 'chown 7:8 owned', 'chmod 4755 setuid')
  const caps = 'setcap cap_net_bind_service=ep "$m/data/empty" && setfattr -n user.builder -v kept "$m/data/empty"'
  await scene.ok(['unshare', '--mount', 'm=base', 'sh', '-c', caps])
  await scene.ok(['config', '--label', 'made=by shell', 'base'])
  await scene.ok(['commit', 'base', 'web'])
  const expected = await scene.ok(['run', 'base', '--', 'sh', '-c', look])
  assert.match(expected, /^4755 0:0 regular file$/m)
  assert.match(expected, /^644 7:8 regular file$/m)
  assert.match(expected, /^linked$/m)
  assert.match(expected, /^gone$/m)
  return expected
}

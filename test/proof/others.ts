import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { command } from '../lane.js'
import { isRoot, type Scene } from './scene.js'

/** skopeo, buildah and podman with a storage of their own, as the user that runs the tests. */
export interface Others {
  /** Runs one that must succeed and gives what it printed. */
  ok(tool: 'skopeo' | 'buildah' | 'podman', ...args: readonly string[]): Promise<string>
  /** A script in the namespace where podman, as `podman $FLAGS`, mounts; gives what it printed. */
  inPodman(script: string): Promise<string>
  inBuildah(script: string): Promise<string>
  /** Runs a container of an image with podman, words as `podman run` takes them, and gives what it printed. */
  podmanRun(...args: readonly string[]): Promise<string>
}

export function others(scene: Scene): Others {
  mkdirSync(scene.at('tools/tmp'), { recursive: true })
  const storage = ['--storage-driver', 'vfs', '--root', scene.at('tools/root'), '--runroot', scene.at('tools/run')]
  const flags = {
    skopeo: [],
    buildah: storage,
    podman: [...storage, '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'],
  }
  const env = {
    BUILDAH_ISOLATION: 'chroot',
    HOME: scene.at('tools'),
    TMPDIR: scene.at('tools/tmp'),
    XDG_RUNTIME_DIR: scene.at('tools'),
  }
  const must = async (argv: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const { code, stdout, stderr } = await command(argv, { env: { ...env, ...more } })
    assert.equal(code, 0, `${argv.join(' ')}: ${stderr}`)
    return stdout.trimEnd()
  }
  const inside = (tool: 'podman' | 'buildah') => (script: string) => {
    const enter = isRoot() ? [] : [tool, ...flags[tool], 'unshare']
    return must([...enter, 'sh', '-c', script], { FLAGS: flags[tool].join(' ') })
  }
  return {
    ok: (tool, verb = '', ...args) => {
      const copying = tool === 'skopeo' && verb === 'copy' ? ['-q', '--insecure-policy'] : []
      return must([tool, ...flags[tool], verb, ...copying, ...args])
    },
    inPodman: inside('podman'),
    inBuildah: inside('buildah'),
    podmanRun: (...args) => {
      const run = ['run', '--rm', '--cgroups=disabled', '--network=none', ...limits]
      return must(['podman', ...flags.podman, '--runtime', wrappedCrun(scene), ...run, ...args])
    },
  }
}

/** podman asks for more open files and processes than the limits of a small machine permit. */
const limits = ['--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024']

/**
 * crun that finds version 2 of cgroups alone where both are mounted: crun 1.8 refuses the two together. Its name is crun's,
 * for podman goes by the name of a runtime.
 */
function wrappedCrun(scene: Scene): string {
  const path = scene.at('tools/bin/crun')
  mkdirSync(scene.at('tools/bin'), { recursive: true })
  const script = `#!/bin/sh
[ -d /sys/fs/cgroup/unified ] || exec crun "$@"
exec unshare --mount --propagation private sh -c 'mount --rbind /sys/fs/cgroup/unified /sys/fs/cgroup; exec crun "$@"' crun "$@"
`
  writeFileSync(path, script, { mode: 0o755 })
  return path
}

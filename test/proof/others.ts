import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { command } from '../lane.js'
import { isRoot, type Scene } from './scene.js'

/** skopeo, buildah and podman with a storage of their own, as the user that runs the tests. */
export interface Others {
  /** Runs one that must succeed and gives what it printed. */
  ok(tool: 'skopeo' | 'buildah' | 'podman', ...args: readonly string[]): Promise<string>
  /** A script in the namespace where podman, as `podman $FLAGS`, mounts; gives what it printed. */
  inPodman(script: string): Promise<string>
  inBuildah(script: string): Promise<string>
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
  }
}

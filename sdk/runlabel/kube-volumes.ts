import { BuilderError } from '../errors.js'
import type { Deployment } from './deployment.js'

/** The volumes of a pod, and where its container has them. */
export interface KubeVolumes {
  readonly volumes: readonly Readonly<Record<string, unknown>>[]
  readonly mounts: readonly Readonly<Record<string, unknown>>[]
}

interface Volume {
  readonly source: Readonly<Record<string, unknown>>
  readonly path: string
  readonly more?: Readonly<Record<string, unknown>>
}

/** Folders of the node, folders in memory, devices, and what the image calls volumes. Throws `UNSUPPORTED`. */
export function kubeVolumes(deployment: Deployment): KubeVolumes {
  const found = [...binds(deployment), ...inMemory(deployment), ...devices(deployment)]
  const own = Object.keys(deployment.config.Volumes ?? {})
    .filter((path) => !found.some((one) => one.path === path))
    .map((path): Volume => ({ source: { emptyDir: {} }, path }))
  const all = [...found, ...own].map((one, i) => ({ ...one, name: `volume-${i + 1}` }))
  return {
    volumes: all.map(({ name, source }) => ({ name, ...source })),
    mounts: all.map(({ name, path, more }) => ({ name, mountPath: path, ...more })),
  }
}

function binds({ options: { volume = [] } }: Deployment): readonly Volume[] {
  return volume.map((text) => {
    const [source = '', path, options = ''] = text.split(':')
    if (path === undefined) return { source: { emptyDir: {} }, path: source }
    if (!source.startsWith('/')) throw impossible(`--volume ${text}`, 'only an absolute path of the node can be named')
    return { source: { hostPath: { path: source } }, path, more: mountOptions(text, options) }
  })
}

function mountOptions(text: string, options: string): Readonly<Record<string, unknown>> {
  const names = options.split(',').filter(Boolean)
  const odd = names.find((name) => !known.has(name))
  if (odd) throw impossible(`--volume ${text}`, `option ${odd} has no place in a manifest`)
  const isShared = names.includes('rshared') || names.includes('shared')
  const isSlave = names.includes('rslave') || names.includes('slave')
  return {
    ...(names.includes('ro') ? { readOnly: true } : {}),
    ...(isShared ? { mountPropagation: 'Bidirectional' } : isSlave ? { mountPropagation: 'HostToContainer' } : {}),
  }
}

const known = new Set('ro rw z Z rbind private rprivate slave rslave shared rshared'.split(' '))

function inMemory({ options: { tmpfs = [], shmSize } }: Deployment): readonly Volume[] {
  const shm = shmSize === undefined ? [] : [`/dev/shm:size=${shmSize}`]
  return [...shm, ...tmpfs].map((text) => {
    const [path = '', options = ''] = text.split(':')
    const size = /(?:^|,)size=(\d+)([kmgt]?)/i.exec(options)
    const limit = size ? { sizeLimit: `${size[1]}${size[2] ? `${size[2].toUpperCase().replace('K', 'K')}i` : ''}` } : {}
    return { source: { emptyDir: { medium: 'Memory', ...limit } }, path }
  })
}

/** A container that is not privileged may not open what is mounted so. */
function devices({ options: { device = [], privileged } }: Deployment): readonly Volume[] {
  return device.flatMap((text) => {
    const [source = '', path = source] = text.split(':')
    if (!privileged) throw impossible(`--device ${text}`, 'a manifest gives devices to privileged containers alone')
    return path === source ? [] : [{ source: { hostPath: { path: source } }, path }]
  })
}

function impossible(object: string, reason: string): BuilderError {
  const hint = 'change the label, or write the manifest by hand from here'
  return new BuilderError('UNSUPPORTED', { operation: 'generate kube', object, reason, hint })
}

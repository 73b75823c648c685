import type { BuildState } from '../../containerfile/state.js'
import type { Workshop } from '../../containerfile/workshop.js'
import { formatPlatform } from '../../image/platform.js'
import { findImage } from '../../store/images.js'
import type { Store } from '../../store/store.js'
import { type PullPolicy, pullImage } from '../transfer/pull-image.js'
import type { BuildOptions } from './options.js'
import { stateOf } from './state.js'

/** What a build needs of the verbs, in one store. */
export function workshopOf(store: Store, options: BuildOptions, epoch: number | undefined): Workshop {
  const pulled = new Map<string, Promise<BuildState>>()
  return {
    image(name, platform, signal) {
      const key = `${name} ${platform ? formatPlatform(platform) : ''}`
      const known = pulled.get(key)
      if (known) return known
      const policy = policyOf(options.pull)
      const { platform: _, ...rest } = options
      const image = pullImage(store, name, {
        ...rest,
        ...(platform ? { platform } : {}),
        policy,
        operation: 'build',
        signal,
      }).then(({ digest, name: full }) => findImage(store, digest, 'build').then((found) => stateOf(found, full)))
      pulled.set(key, image)
      return image
    },
    // It brings along what runs commands and copies files, which a build that finds all in the cache does not need.
    bench: async (state) => (await import('./container.js')).makeContainer(store, state, options, epoch),
    root: async (id, signal) => (await import('../run/other-root.js')).otherRoot(store, id, 'build', signal),
  }
}

/** `--pull` alone asks for what has changed, as buildah's does. */
function policyOf(pull: BuildOptions['pull'] = false): PullPolicy {
  if (pull === true) return 'newer'
  return pull === false ? 'missing' : pull
}

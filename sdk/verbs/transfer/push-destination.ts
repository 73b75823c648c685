import { BuilderError } from '../../errors.js'
import { nameMeant } from '../../store/find-image.js'
import { transportOf } from '../../transport/transport-text.js'
import { remoteName } from './pull-names.js'

/**
 * Where an image is pushed to: the destination that is given, a registry where it names no transport; without one, where
 * the image's own name says. `names` are the image's. Throws `USAGE`.
 */
export function pushDestination(image: string, names: readonly string[], destination: string | undefined): string {
  if (destination !== undefined) return transportOf(destination) ? destination : `docker://${remoteName(destination)}`
  const name = nameMeant(names, image) ?? names[0]
  if (name === undefined) throw nowhere(image, 'the image has no name that says which registry it belongs to')
  if (!name.startsWith('localhost/')) return `docker://${name}`
  throw nowhere(image, `${name} is a name of this machine, it names no registry`)
}

function nowhere(object: string, reason: string): BuilderError {
  const hint = `say where to, as builder push ${object} docker://REGISTRY/NAME or oci-archive:FILE`
  return new BuilderError('USAGE', { operation: 'push', object, reason, hint })
}

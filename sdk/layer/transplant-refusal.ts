import { BuilderError } from '../errors.js'

/** Something of another kind stands where a copy has to go. */
export function inTheWay(operation: string, object: string, reason: string): BuilderError {
  return new BuilderError('INVALID', {
    operation,
    object,
    reason,
    hint: 'remove it first, or choose another destination',
  })
}

/** A device that a user namespace cannot have. */
export function noDevice(object: string): BuilderError {
  return new BuilderError('UNSUPPORTED', {
    operation: 'copy',
    object,
    reason: 'it is a device, which only root of the machine can make',
    hint: 'leave it out with --exclude, or build as root',
  })
}

import { verb } from './verb.js'

/**
 * Writes a Kubernetes manifest from an image's run label and configuration. See `builder generate kube`.
 *
 * @example
 * ```ts
 * import { generateKube } from 'builder-sdk'
 * console.log(await generateKube('web', 'run', { kind: 'Job' }))
 * ```
 */
export const generateKube = verb('generateKube')

/**
 * Writes a `.container` unit for systemd from an image's run label and configuration. See `builder generate quadlet`.
 *
 * @example
 * ```ts
 * import { generateQuadlet } from 'builder-sdk'
 * console.log(await generateQuadlet('web'))
 * ```
 */
export const generateQuadlet = verb('generateQuadlet')

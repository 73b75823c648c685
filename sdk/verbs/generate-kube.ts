import { stringify } from 'yaml'
import { kubeManifest } from '../runlabel/kube.js'
import { deploymentOf, type GenerateOptions } from './generate-options.js'

/** Options of {@link generateKube}. */
export interface GenerateKubeOptions extends GenerateOptions {
  /**
   * What to make: a Pod, or a Job that runs one to its end.
   * @default Pod
   */
  kind?: 'Pod' | 'Job'
}

/**
 * Writes a Kubernetes manifest from an image's run label and configuration.
 *
 * Flags become fields of the Pod: namespaces of the host, security context, volumes of the node, variables, ports. What a manifest has
 * no place for is an error.
 *
 * Throws `NOT_FOUND` for an unknown image or label, `INVALID` for a label that is no run line, `UNSUPPORTED` for what no manifest can
 * say.
 *
 * @verb generate kube
 * @where outside
 * @stdout The manifest, as YAML.
 * @param image - Name or ID of the image.
 * @param label - The label that runs it. Default: run, where there is one; else the image is run as it is.
 * @example
 * ```sh
 * builder generate kube --kind Job web >web.yaml
 * ```
 * @example
 * ```ts
 * import { generateKube } from 'builder-sdk'
 * console.log(await generateKube('web', 'run', { kind: 'Job' }))
 * ```
 */
export async function generateKube(image: string, label?: string, options: GenerateKubeOptions = {}): Promise<string> {
  const manifest = kubeManifest(await deploymentOf(image, label, options), options.kind ?? 'Pod')
  return stringify(manifest, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' })
}

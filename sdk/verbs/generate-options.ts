import { type Deployment, readDeployment } from '../runlabel/deployment.js'
import { findImage } from '../store/images.js'
import { openStore } from '../store/store.js'
import type { GlobalOptions } from './global.js'

/** What every form that can be generated is given. */
export interface GenerateOptions extends GlobalOptions {
  /**
   * What NAME means in the label, and how the container is called. Default: what the label says, else the image's own name.
   * @short n
   * @placeholder NAME
   */
  name?: string
}

/** Reads from the store how an image is to be run. Throws `NOT_FOUND`, `INVALID`, `UNSUPPORTED`. */
export async function deploymentOf(
  image: string,
  label: string | undefined,
  { name, ...options }: GenerateOptions,
): Promise<Deployment> {
  const store = await openStore(options)
  const found = await findImage(store, image, 'generate')
  return readDeployment({
    image: found.names[0] ?? found.id,
    config: found.config.config ?? {},
    ...(label === undefined ? {} : { label }),
    ...(name === undefined ? {} : { name }),
    env: process.env,
    cwd: process.cwd(),
    home: process.env.HOME ?? '/',
  })
}

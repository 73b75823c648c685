import type { RegistryOptions } from '../../transport/registry/access.js'
import type { GlobalOptions } from '../global.js'

/** Options of `runlabel`. */
export interface RunlabelOptions extends GlobalOptions, Omit<RegistryOptions, 'creds'> {
  /**
   * What NAME means; without it the image's name without registry and tag.
   * @short n
   * @placeholder NAME
   */
  name?: string
  /** Remove the container that has the name already. */
  replace?: boolean
  /**
   * What OPT1 means.
   * @placeholder TEXT
   */
  opt1?: string
  /**
   * What OPT2 means.
   * @placeholder TEXT
   */
  opt2?: string
  /**
   * What OPT3 means.
   * @placeholder TEXT
   */
  opt3?: string
  /** Print what would be executed, and execute nothing. */
  display?: boolean
  /** As --display, with the environment, what it asks for and the policy's verdict, as JSON. */
  dryRun?: boolean | 'json'
  /** When to ask a registry for the image, as `pull --policy`; alone it means newer, and absent missing. */
  pull?: boolean | 'always' | 'missing' | 'never' | 'newer'
  /**
   * Who executes what the label asks podman or docker for: builder itself, your own podman or docker; `auto` the one that the label
   * names, where it is installed.
   * @default builder
   */
  engine?: 'builder' | 'podman' | 'docker' | 'auto'
  /** Execute it without asking, unless the policy forbids it. */
  yes?: boolean
}

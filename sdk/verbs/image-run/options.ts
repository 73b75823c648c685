import type { RunFlags } from '../../runlabel/run-flags.js'
import type { RegistryOptions } from '../../transport/registry/access.js'
import type { GlobalOptions } from '../global.js'

/** Options of {@link runImage}: podman's names. */
export interface RunImageOptions extends GlobalOptions, RunFlags, RegistryOptions {
  /** Isolation: an OCI runtime, or chroot, which needs util-linux only. Default: `BUILDAH_ISOLATION`, else what works here. */
  isolation?: 'oci' | 'rootless' | 'chroot'
  /**
   * OCI runtime to use instead of crun or runc.
   * @placeholder PATH
   */
  runtime?: string
}

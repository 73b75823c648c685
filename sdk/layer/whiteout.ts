/**
 * How a layer says that something of the layers below is gone.
 * In a tar: OCI image-spec, layer.md, "Whiteouts". On disk: Linux's overlayfs, "whiteouts and opaque directories".
 */
import { isInUserNamespace } from '../namespace/inside.js'
import { mknod, type Path, setXattr } from '../namespace/libc.js'

/** Before the name of what a layer removes. */
export const whiteoutPrefix = '.wh.'
/** In a directory that hides everything below it. */
export const opaqueMarker = '.wh..wh..opq'
/** Names that aufs kept for itself; layers from its time hold them and nobody reads them. */
export const aufsPrefix = '.wh..wh.'

/** Attributes by which a driver marks a directory opaque: the kernel's two, and fuse-overlayfs' own. */
export const opaqueXattrs: ReadonlySet<string> = new Set([
  'trusted.overlay.opaque',
  'user.overlay.opaque',
  'user.fuseoverlayfs.opaque',
])

/** Makes the device 0:0 that overlayfs reads as "gone". Works in a user namespace since Linux 5.8. */
export function makeWhiteout(path: Path): void {
  mknod(path, 0o020000, 0, 0)
}

/** Marks a directory opaque, in the way that the overlay mount of this namespace reads. */
export function makeOpaque(path: Path): void {
  setXattr(path, isInUserNamespace() ? 'user.overlay.opaque' : 'trusted.overlay.opaque', yes)
}

const yes = Buffer.from('y')

import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { builder } from '../lane.js'
import { setTimes } from './context.js'

/** What both are built on: busybox under all its names, two users, a configuration. */
const base = `FROM scratch
COPY rootfs /
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin FROM_BASE=yes
LABEL base=yes
WORKDIR /
CMD ["/bin/sh"]
`

/** Builds it as `base`, in a folder of its own below `folder`. */
export async function makeBase(folder: string, store: string): Promise<void> {
  const context = join(folder, 'base')
  const rootfs = join(context, 'rootfs')
  for (const name of ['bin', 'dev', 'etc', 'proc', 'run', 'srv', 'sys', 'tmp', 'var/cache'])
    mkdirSync(join(rootfs, name), { recursive: true })
  for (const name of ['busybox', 'sh']) copyFileSync('/bin/busybox', join(rootfs, 'bin', name))
  for (const name of ['hostname', 'hosts', 'resolv.conf']) writeFileSync(join(rootfs, 'etc', name), '')
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/srv:/bin/sh\n')
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\nwebgroup:x:34:\n')
  setTimes(context)
  writeFileSync(join(context, 'Containerfile'), base)
  const made = await builder(['build', '-q', '-t', 'base', context], { store })
  assert.equal(made.code, 0, made.stderr)
}

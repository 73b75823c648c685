// A whole image without a base: two programs of this machine with the libraries they need, and a file of yours.
//   npx tsx hello.ts        on Node 20
//   node hello.ts           on Node 22.18 and newer
// Prints the image's ID. With SOURCE_DATE_EPOCH set, it is the same ID everywhere.
import { join } from 'node:path'
import { from } from 'builder-sdk'

const c = await from('scratch')
try {
  // --closure: programs at their own paths, with their loader and their shared libraries.
  await c.copy(['/usr/bin/env', '/usr/bin/cat'], undefined, { closure: true })
  // Modes and times are said here, so that it does not count how and when this folder was checked out.
  await c.copy(join(import.meta.dirname, 'site/'), '/srv/', {
    chmod: 'u=rwX,go=rX',
    timestamp: Number(process.env.SOURCE_DATE_EPOCH ?? 0),
  })

  // The programs prove themselves while the image is built; what they print is shown on standard error.
  await c.run(['env', 'cat', '/srv/greeting.txt'])

  await c.config({
    env: ['GREETING=hello'],
    cmd: ['env', 'cat', '/srv/greeting.txt'],
    label: ['org.opencontainers.image.title=hello'],
  })
  const image = await c.commit('hello')
  console.log(image.id)
} finally {
  // The working container goes, also when a step failed; the image stays.
  await c.remove()
}

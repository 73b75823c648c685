// A Python program on Debian's own interpreter: no shell that anybody needs, no apt, no pip, and not as root.
//   npx tsx python-app.ts                   on Debian and Ubuntu: packages from this machine's own sources
//   SUITE=bookworm npx tsx python-app.ts    wherever apt and the package debian-archive-keyring are
// Prints the image's ID. With SOURCE_DATE_EPOCH set, the same packages and program give the same ID everywhere.
import { join } from 'node:path'
import { from } from 'builder-sdk'

const { SUITE, SOURCE_DATE_EPOCH = '0' } = process.env

const c = await from('scratch')
try {
  // Files of packages only. Add lock: 'packages.lock' to get the same versions for as long as they can be had.
  await c.apt(['install', 'base-files', 'python3-minimal'], SUITE ? { suite: SUITE } : { fromHost: true })

  // Modes and times are said here, so that it does not count how and when this folder was checked out.
  await c.copy(join(import.meta.dirname, 'python-app/'), '/app/', {
    chmod: 'u=rwX,go=rX',
    timestamp: Number(SOURCE_DATE_EPOCH),
  })
  await c.config({
    user: '65532:65532',
    workingdir: '/app',
    env: ['PATH=/usr/bin', 'PYTHONDONTWRITEBYTECODE=1', 'PYTHONUNBUFFERED=1'],
    entrypoint: ['python3', '/app/main.py'],
  })

  // It proves itself as its user before there is an image.
  await c.run(['python3', '/app/main.py', 'builder'])
  const image = await c.commit('python-app')
  console.log(image.id)
} finally {
  // The working container goes, also when a step failed; the image stays.
  await c.remove()
}

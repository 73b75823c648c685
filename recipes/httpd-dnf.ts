// A web server from Fedora's packages. This machine's dnf fills the image: no dnf, no python and no cache is in it.
//   npx tsx httpd-dnf.ts                                       Fedora
//   REPO=https://mirror.example/f42 KEY=… npx tsx httpd-dnf.ts     another repository, and the key of its packages
// Prints the image's ID. With SOURCE_DATE_EPOCH set and the same httpd.lock, it is the same ID everywhere.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { from } from 'builder-sdk'

// So that it does not count who runs this.
process.umask(0o022)
const release = process.env.RELEASE ?? '42'
const arch = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch
const fedora = `https://dl.fedoraproject.org/pub/fedora/linux/releases/${release}/Everything/${arch}/os/`
const { REPO: repo = fedora, KEY: key = 'https://fedoraproject.org/fedora.gpg' } = process.env

const c = await from('scratch')
try {
  // Packages are checked with the key. httpd.lock has the exact packages: the first run writes it, later ones follow it.
  await c.dnf(['install', 'httpd'], {
    repo: [`fedora=${repo},gpgkey=${key}`],
    releasever: release,
    lock: 'httpd.lock',
  })

  // The mounted root is a folder like others. Your own files: cp('site', join(root, 'var/www/html'), { recursive: true })
  const root = await c.mount()
  await writeFile(join(root, 'var/www/html/index.html'), 'hello from a container\n')
  await c.umount()

  await c.config({ cmd: ['/usr/sbin/httpd', '-DFOREGROUND'], port: ['80'] })
  const image = await c.commit('httpd')
  console.log(image.id)
} finally {
  // The working container goes, also when a step failed; the image stays.
  await c.remove()
}

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { rpmEpoch, rpmRepository } from '../distro/rpm-repository.js'
import { builder, needs, type Ran, tempDir } from '../lane.js'

interface Place {
  readonly store: string
  readonly container: string
  /** Runs builder dnf on the container, or on another one. */
  dnf(request: readonly string[], flags?: readonly string[], container?: string): Promise<Ran>
}

const programs = ['dnf', 'rpm', 'rpmbuild', 'createrepo_c']

async function makePlace(t: TestContext): Promise<Place> {
  const store = tempDir(t)
  const { url } = await rpmRepository()
  const container = await made(['from', 'scratch'], store)
  const dnf = (request: readonly string[], flags = ['--nogpgcheck', '--repo', `test=${url}`], name = container) =>
    builder(['dnf', '--quiet', ...flags, name, ...request], { store })
  return { store, container, dnf }
}

async function made(args: readonly string[], store: string): Promise<string> {
  const { stdout, stderr, code } = await builder(args, { store })
  assert.equal(code, 0, stderr)
  return stdout.trim()
}

function assertFine({ code, stderr, stdout }: Ran): void {
  assert.deepEqual({ code, stderr, stdout }, { code: 0, stderr: '', stdout: '' })
}

/** What a shell sees that looks at the container's root by itself. */
async function look(place: Place, script: string): Promise<string> {
  const { stdout, stderr, code } = await builder(
    ['unshare', '-m', `m=${place.container}`, 'sh', '-c', `cd "$m" && ${script}`],
    { store: place.store },
  )
  assert.equal(code, 0, stderr)
  return stdout.trim()
}

test('packages are installed, and nothing else is in the container', async (t) => {
  if (!needs(t, ...programs)) return
  const place = await makePlace(t)
  assertFine(await place.dnf(['install', 'httpd', 'busybox', '-y']))
  const [owner, capabilities] = ['usr/sbin/suexec', 'usr/sbin/suexec']
  assert.equal(await look(place, `stat -c %a:%u:%g ${owner} var/lib/httpd`), '510:0:48\n755:48:48')
  assert.match(
    await look(place, `getcap ${capabilities} 2>/dev/null || echo cap_setgid,cap_setuid`),
    /cap_setgid,cap_setuid/,
  )
  assert.equal(
    await look(place, 'cat var/lib/httpd/configured etc/made-by-lua'),
    'configured, 1 of it installed\nposttrans',
  )
  assert.equal(
    await look(place, 'ls -A dev etc/dnf var/lib var/cache usr/lib/sysimage/rpm 2>&1 | sort'),
    [
      '',
      '',
      '',
      'dev:',
      'httpd',
      "ls: cannot access 'etc/dnf': No such file or directory",
      'rpm',
      'rpmdb.sqlite',
      'usr/lib/sysimage/rpm:',
      'var/cache:',
      'var/lib:',
    ]
      .join('\n')
      .trim(),
  )
  assert.equal(await look(place, 'stat -c %a proc sys dev'), '555\n555\n755')
  assert.equal(
    await look(place, 'ls usr/share; ls usr/bin/ab 2>&1 | cut -d: -f3'),
    'locale\n No such file or directory',
  )
  assert.equal(await look(place, `find . -newermt @${rpmEpoch} | head`), '')
})

test('the database is the one that rpm reads, also on a read-only root, and what is installed is whole', async (t) => {
  if (!needs(t, ...programs)) return
  const place = await makePlace(t)
  assertFine(await place.dnf(['install', 'httpd', 'busybox']))
  // Debian's rpm needs to be told where the database is.
  const rpm = 'rpm --root "$m" --define "_dbpath /usr/lib/sysimage/rpm"'
  const names = await look(
    place,
    `mount --bind "$m" "$m" && mount -o remount,bind,ro "$m" && ${rpm} -qa | sort && ${rpm} -Va; umount "$m"`,
  )
  assert.equal(names, 'busybox-1.35-1.x86_64\nfilesystem-3.18-1.x86_64\nhttpd-2.4.1-1.x86_64')
})

test('what was installed can be asked for, upgraded and removed', async (t) => {
  if (!needs(t, ...programs)) return
  const place = await makePlace(t)
  const later = ['--nogpgcheck', '--repo', `test=${(await rpmRepository('later')).url}`]
  assertFine(await place.dnf(['install', 'httpd-tools', 'busybox']))
  assertFine(await place.dnf(['group', 'install', 'web-server']))
  assert.equal((await place.dnf(['repoquery', 'httpd'])).stdout, 'httpd-1:2.4.1-1.x86_64\n')
  assertFine(await place.dnf(['upgrade'], later))
  assertFine(await place.dnf(['remove', 'httpd-tools']))
  assertFine(await place.dnf(['install', 'greeting'], [...later, '--enable-module', 'greeting:new']))
  const { stdout } = await place.dnf(['repoquery', '--', '--installed', '--qf', '%{evr} %{name}'])
  assert.deepEqual(stdout.trim().split('\n').sort(), [
    '1.35-1 busybox',
    '1:2.4.2-1 httpd',
    '2-1 greeting',
    '3.18-1 filesystem',
  ])
  assert.equal(await look(place, 'cat var/www/html/index.html; ls etc/dnf/modules.d'), 'edition 2\ngreeting.module')
})

test('documents, weak dependencies and languages are taken as they are asked for', async (t) => {
  if (!needs(t, ...programs)) return
  const place = await makePlace(t)
  const { url } = await rpmRepository()
  const flags = ['--nogpgcheck', '--repo', `test=${url}`, '--docs', '--weak-deps', '--langs', 'fr,en']
  assertFine(await place.dnf(['install', 'httpd', 'busybox'], flags))
  assert.equal(
    await look(place, 'ls usr/share/doc/httpd usr/bin/ab; ls usr/share/locale/de 2>/dev/null | wc -l'),
    'usr/bin/ab\n\nusr/share/doc/httpd:\nREADME\n0',
  )
})

test('packages are downloaded and nothing changes', async (t) => {
  if (!needs(t, ...programs)) return
  const place = await makePlace(t)
  const { url } = await rpmRepository()
  // It need not be there.
  const folder = join(tempDir(t), 'new/rpms')
  const ran = await place.dnf(['download', 'httpd'], ['--nogpgcheck', '--repo', `test=${url}`, '--destdir', folder])
  assert.equal(ran.stdout, `${folder}/httpd-2.4.1-1.x86_64.rpm\n`, ran.stderr)
  assert.equal(await look(place, 'ls -A'), '')
})

test('progress tells packages and bytes, and the result of a change is nothing', async (t) => {
  if (!needs(t, ...programs)) return
  const { store, container } = await makePlace(t)
  const { folder } = await rpmRepository()
  const ran = await builder(['dnf', '--nogpgcheck', '--repo', `test=${folder}`, container, 'install', 'busybox'], {
    store,
  })
  assert.equal(ran.stdout, '')
  assert.match(
    ran.stderr,
    /^dnf: 2 packages: [a-z]+ 1\.\d+ MB\n(dnf: 2 packages: .*\n)*dnf: 2 packages: done, 1\.\d+ MB in \d.*\n$/,
  )
})

test('a failed request leaves the container as it was, mounted or not', async (t) => {
  if (!needs(t, ...programs)) return
  const place = await makePlace(t)
  assertFine(await place.dnf(['install', 'busybox']))
  const before = await look(place, 'find . -printf "%p %m %T@ %s\\n" | sort | sha256sum')
  const ran = await place.dnf(['install', 'failing-post', 'httpd'])
  assert.match(
    ran.stderr,
    /error in POSTIN scriptlet in rpm package failing-post: .*post has something to say.*exit status 5; the container is as it was/,
  )
  assert.notEqual(ran.code, 0)
  assert.equal(await look(place, 'find . -printf "%p %m %T@ %s\\n" | sort | sha256sum'), before)
})

test('a lock holds a later repository to the same packages, and a step with one comes from the cache', async (t) => {
  if (!needs(t, ...programs)) return
  const place = await makePlace(t)
  const lock = join(tempDir(t), 'web.lock')
  const flags = async (edition: 'now' | 'both') => [
    '--nogpgcheck',
    '--repo',
    `test=${(await rpmRepository(edition)).url}`,
    '--lock',
    lock,
  ]
  assertFine(await place.dnf(['install', 'httpd', 'busybox'], await flags('now')))
  assert.deepEqual(
    JSON.parse(readFileSync(lock, 'utf8')).packages.map(
      ({ name, version }: Record<string, string>) => `${name} ${version}`,
    ),
    ['busybox 1.35', 'filesystem 3.18', 'httpd 2.4.1'],
  )
  const other = await made(['from', '--layers', '--explain', 'scratch'], place.store)
  assert.match((await place.dnf(['install', 'busybox', 'httpd'], await flags('both'), other)).stderr, /executed/)
  const again = await made(['from', '--layers', '--explain', 'scratch'], place.store)
  assert.match(
    (await place.dnf(['install', 'busybox', 'httpd'], await flags('both'), again)).stderr,
    /cached|hit|cache/,
  )
  const images = []
  for (const name of [place.container, other, again])
    images.push(await made(['commit', '--quiet', '--timestamp', `${rpmEpoch}`, '--squash', name], place.store))
  assert.equal(new Set(images).size, 1, images.join(' '))
  writeFileSync(lock, readFileSync(lock, 'utf8').replace('"version": 1', '"version": 7'))
  assert.match((await place.dnf(['install', 'httpd', 'busybox'], await flags('now'))).stderr, /its version 7 is not 1/)
})

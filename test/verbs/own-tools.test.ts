// The user's own package managers and installers on a container's root, in each of the ways to get at it.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { launcher, limit } from '../bin/in-session.js'
import { debRepository } from '../distro/deb-repository.js'
import { rpmRepository } from '../distro/rpm-repository.js'
import { builder, command, needs, tempDir } from '../lane.js'

/** A folder with what is installed; it is HOME and the working folder of every script. */
let home = ''

before(async (t) => {
  home = tempDir(t as TestContext)
  await Promise.all([rpms(), debs(), wheel()])
  writeFileSync(join(home, 'Makefile'), 'install:\n\tinstall -D -m 755 Makefile $(DESTDIR)/usr/bin/app\n')
})

async function rpms(): Promise<void> {
  const { folder } = await rpmRepository()
  // Debian's rpm keeps its database in the home folder of who calls it, and rpm gives no owner to what the kernel mounts.
  writeFileSync(join(home, '.rpmmacros'), '%_dbpath /usr/lib/sysimage/rpm\n%_netsharedpath /proc:/sys:/dev\n')
  writeFileSync(join(home, 'repository'), folder)
}

async function debs(): Promise<void> {
  const program = { path: 'usr/bin/hello', content: '#!/bin/sh\n', mode: 0o755 }
  const entries = [{ path: 'usr/' }, { path: 'usr/bin/' }, program]
  const folder = join(home, 'debs')
  await debRepository(folder, [
    { name: 'base-files', fields: ['Essential: yes'], entries: [{ path: 'etc/' }] },
    { name: 'hello', version: '1:1.0-1', entries },
  ])
  writeFileSync(join(home, 'sources.list'), `deb [trusted=yes] copy:${folder} test main\n`)
}

/** A wheel is a zip file of the package and of what is said about it: PEP 427. */
async function wheel(): Promise<void> {
  const said = join(home, 'wheel/greet-1.0.dist-info')
  for (const folder of [said, join(home, 'wheel/greet')]) mkdirSync(folder, { recursive: true })
  const files = {
    '../greet/__init__.py': 'said = "hi"\n',
    METADATA: 'Metadata-Version: 2.1\nName: greet\nVersion: 1.0\n',
    WHEEL: 'Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    RECORD:
      'greet/__init__.py,,\ngreet-1.0.dist-info/METADATA,,\ngreet-1.0.dist-info/WHEEL,,\ngreet-1.0.dist-info/RECORD,,\n',
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(said, name), content)
  const pack = 'cd wheel && python3 -m zipfile -c ../greet-1.0-py3-none-any.whl greet greet-1.0.dist-info'
  assert.equal((await command(['sh', '-c', pack], { cwd: home })).code, 0)
}

/** What a user writes, with the container's root in `$m`. */
const tools = {
  dnf: `dnf -q -y --installroot="$m" --repofrompath=own,"file://$(cat repository)" --repo=own --nogpgcheck --releasever=1 \\
    --setopt=install_weak_deps=0 --setopt=keepcache=0 install httpd >&2`,
  rpm: `rpm --root "$m" --force-debian -i "$(cat repository)"/filesystem-*.rpm "$(cat repository)"/busybox-*.rpm "$(cat repository)"/httpd-2*.rpm >&2`,
  mmdebstrap: 'mmdebstrap --quiet --variant=extract --include=hello test "$m" - <sources.list',
  pip: 'python3 -m pip install -q --no-index --no-deps --no-cache-dir --ignore-installed --root "$m" ./greet-1.0-py3-none-any.whl',
  make: 'make -s install DESTDIR="$m"',
} as const

/** How the root is got at. */
const ways = {
  'a mount in unshare': (tool: string) => ['unshare', 'sh', '-ec', `m=$(builder mount c)\n${tool}`],
  'a mount in a recipe': (tool: string) => {
    writeFileSync(join(home, 'recipe.sh'), `set -e\nm=$(builder mount c)\n${tool}\n`)
    return ['recipe', 'recipe.sh']
  },
  'exec-host': (tool: string) => ['exec-host', 'c', '--', 'sh', '-ec', `m=$BUILDER_MOUNT\n${tool}`],
} as const

const rpmPackages = 'busybox 1.35-1\nfilesystem 3.18-1\nhttpd 1:2.4.1-1\n'
const format = '{{.Name}} {{.Version}}'

/** What is there afterwards: a line of shell in exec-host, or what `builder packages` lists. */
const table: readonly (readonly [tool: keyof typeof tools, way: keyof typeof ways, check: string, found: string])[] = [
  ['dnf', 'a mount in a recipe', 'packages', rpmPackages],
  ['dnf', 'exec-host', 'packages', rpmPackages],
  ['rpm', 'a mount in unshare', 'packages', rpmPackages],
  ['rpm', 'exec-host', 'rpm --root "$m" -q httpd', 'httpd-2.4.1-1.x86_64\n'],
  ['mmdebstrap', 'a mount in unshare', 'cd "$m"; stat -c "%n %a %u" usr/bin/hello', 'usr/bin/hello 755 0\n'],
  ['pip', 'a mount in unshare', 'cat "$m"/usr/local/lib/python3*/*-packages/greet/__init__.py', 'said = "hi"\n'],
  ['make', 'exec-host', 'cd "$m"; stat -c "%n %a %u:%g" usr/bin/app', 'usr/bin/app 755 0:0\n'],
]

for (const [tool, way, check, found] of table)
  test(`${tool} on ${way}`, { timeout: 120_000 }, async (t) => {
    if (!needs(t, programOf(tool))) return
    const store = tempDir(t)
    const run = (words: readonly string[]) => builder(words, { store, cwd: home, env: environment() })
    assert.equal((await run(['from', '--name', 'c', 'scratch'])).code, 0)
    const ran = await run(ways[way](tools[tool]))
    assert.equal(ran.code, 0, ran.stderr)
    const words = check === 'packages' ? ['packages', '--format', format, 'c'] : ways['exec-host'](check)
    const { stdout, stderr } = await run(words)
    assert.equal(stdout, found, stderr)
  })

for (const [tool, found] of [
  ['pip', 'said = "hi"\n'],
  ['make', 'usr/bin/app 755 0:0\n'],
] as const)
  test(`${tool} on a mount in the plain shell: the files are root’s in the container`, limit, async (t) => {
    if (!needs(t, programOf(tool))) return
    const store = tempDir(t)
    const run = (words: readonly string[]) => builder(words, { store, cwd: home, env: environment() })
    assert.equal((await run(['from', '--name', 'c', 'scratch'])).code, 0)
    const m = (await run(['mount', 'c'])).stdout.trim()
    const ran = await command(['sh', '-ec', tools[tool]], { cwd: home, env: { ...environment(), m } })
    assert.equal(ran.code, 0, ran.stderr)
    assert.equal((await run(['umount', 'c'])).code, 0)
    const check = table.find(([name]) => name === tool)?.[2] ?? ''
    assert.equal((await run(ways['exec-host'](check))).stdout, found)
  })

function programOf(tool: keyof typeof tools): string {
  return tool === 'pip' ? 'pip3' : tool
}

function environment(): Readonly<Record<string, string>> {
  const path = [join(launcher, '..'), '/usr/sbin', '/usr/bin', '/sbin', '/bin', process.execPath.replace(/\/node$/, '')]
  return { HOME: home, LC_ALL: 'C.UTF-8', PATH: path.join(':'), PIP_DISABLE_PIP_VERSION_CHECK: '1' }
}

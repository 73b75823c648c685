import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { builder, command, removeTree, top } from '../lane.js'
import { makeContext } from './corpus/context.js'
import { compared, configOf, type Entry, treesOf } from './corpus/compare.js'
import { differences } from './corpus/differences.js'
import { type Reference, startReference } from './corpus/reference.js'

const cases = join(top, 'test/containerfile/corpus/cases')
const names = readdirSync(cases)
  .filter((file) => file.endsWith('.Containerfile'))
  .map((file) => basename(file, '.Containerfile'))

/** What both are built on: busybox under all its names, two users, a configuration. */
const base = `FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
COPY passwd group /etc/
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin; mkdir -p /tmp /proc /sys /dev /run /srv /var/cache; touch /etc/hosts /etc/resolv.conf; find / -xdev -exec touch -h -d @1000000000 {} + 2>/dev/null; true"]
ENV PATH=/bin FROM_BASE=yes
LABEL base=yes
WORKDIR /srv
WORKDIR /
CMD ["/bin/sh"]
`

describe('a corpus of Containerfiles: the same tree and configuration as the reference gives', () => {
  const folder = mkdtempSync(join(tmpdir(), 'corpus-'))
  const [store, context] = [join(folder, 'store'), join(folder, 'context')]
  const failed = new Map<string, unknown>()
  let reference: Reference
  let trees: Readonly<Record<string, Readonly<Record<string, Entry>>>>

  before(async () => {
    mkdirSync(context, { recursive: true })
    makeContext(context)
    reference = await startReference()
    await makeBase(folder, store)
    await reference.give('base', store)
    for (const name of names) await buildBoth(name).catch((error) => failed.set(name, error))
    trees = await treesOf(
      store,
      names.filter((name) => !failed.has(name)).flatMap((name) => [`case-${name}`, `reference-${name}`]),
    )
  })

  after(async () => {
    await reference?.[Symbol.asyncDispose]()
    removeTree(folder)
  })

  for (const name of names)
    it(name, async () => {
      if (failed.has(name)) throw failed.get(name)
      const [ours, theirs] = [`case-${name}`, `reference-${name}`]
      const told = differences.filter((one) => one.case === name && one.from.includes(reference.name))
      const found = compared(trees[ours] ?? {}, trees[theirs] ?? {})
      const configs = [await configOf(store, ours), await configOf(store, theirs)] as const
      for (const { leaves } of told) leaves(found, configs)
      assert.deepEqual(found, [], `${name}: the trees differ from those of ${reference.name}`)
      assert.deepEqual(configs[0], configs[1], `${name}: the configurations differ from those of ${reference.name}`)
    })

  async function buildBoth(name: string): Promise<void> {
    const file = join(cases, `${name}.Containerfile`)
    const args = argsOf(name)
    const ours = await builder(['build', '-q', '-t', `case-${name}`, '-f', file, ...args, context], { store })
    if (ours.code !== 0) throw new Error(ours.stderr)
    const other = join(cases, `${name}.reference`)
    await reference.build(name, existsSync(other) ? other : file, context, args, store)
  }

  function argsOf(name: string): readonly string[] {
    const file = join(cases, `${name}.args`)
    if (!existsSync(file)) return []
    return readFileSync(file, 'utf8').trim().replaceAll('CONTEXT', context).split('\n')
  }
})

async function makeBase(folder: string, store: string): Promise<void> {
  const context = join(folder, 'base')
  mkdirSync(context)
  copyFileSync('/bin/busybox', join(context, 'busybox'))
  const { writeFileSync } = await import('node:fs')
  writeFileSync(join(context, 'passwd'), 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/srv:/bin/sh\n')
  writeFileSync(join(context, 'group'), 'root:x:0:\nwebgroup:x:34:\n')
  writeFileSync(join(context, 'Containerfile'), base)
  const made = await builder(['build', '-q', '-t', 'base', context], { store })
  assert.equal(made.code, 0, made.stderr)
  void command
}

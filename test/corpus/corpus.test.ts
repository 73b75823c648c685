import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { quoteWord } from '../../sdk/image/words.js'
import { inParallel } from '../../sdk/transport/parallel.js'
import { builder, removeTree, top } from '../lane.js'
import { makeBase } from './base.js'
import { argsOf, caseNames, cases } from './cases.js'
import { compared, configOf, type Entry, treesOf } from './compare.js'
import { makeContext } from './context.js'
import { differences, leaveOut } from './differences.js'
import { type Reference, startReference } from './reference.js'

const names = caseNames()

describe('a corpus of Containerfiles: the same tree and configuration as the reference gives', () => {
  const folder = mkdtempSync(join(tmpdir(), 'corpus-'))
  const [store, context] = [join(folder, 'store'), join(folder, 'context')]
  /** buildah's `rw` writes into the context. */
  const spoilt = join(folder, 'spoilt')
  const failed = new Map<string, unknown>()
  let reference: Reference
  let trees: Readonly<Record<string, Readonly<Record<string, Entry>>>>

  before(async () => {
    mkdirSync(context, { recursive: true })
    makeContext(context)
    mkdirSync(spoilt)
    makeContext(spoilt)
    reference = await startReference()
    await makeBase(folder, store)
    await reference.give('base', store)
    await Promise.all([buildOurs(), buildTheirs()])
    await reference.bring(
      [...names].filter((name) => !failed.has(name)),
      store,
    )
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
      const meant = differences.filter((one) => one.cases.includes(name) && one.from.includes(reference.name))
      const config = await configOf(store, ours)
      const left = leaveOut(meant, compared(trees[ours] ?? {}, trees[theirs] ?? {}), await configOf(store, theirs))
      assert.deepEqual(left.found, [], `${name}: the tree differs from that of ${reference.name}`)
      assert.deepEqual(config, left.theirs, `${name}: the configuration differs from that of ${reference.name}`)
    })

  /** All in one session: a build then costs no start of a process. */
  async function buildOurs(): Promise<void> {
    const lines = names.map((name) => {
      const words = [
        'build',
        '-q',
        '-t',
        `case-${name}`,
        '-f',
        join(cases, `${name}.Containerfile`),
        ...argsOf(name, context),
      ]
      return `"$B" ${[...words, context].map(quoteWord).join(' ')} >/dev/null 2>"$E/${name}" && rm "$E/${name}"`
    })
    const errors = join(folder, 'errors')
    mkdirSync(errors)
    const env = { B: join(top, 'bin/builder'), E: errors }
    await builder(['unshare', 'sh', '-c', `${lines.join('\n')}\ntrue`], { store, env })
    for (const name of readdirSync(errors)) failed.set(name, new Error(readFileSync(join(errors, name), 'utf8')))
  }

  async function buildTheirs(): Promise<void> {
    await inParallel(
      names,
      async (name) => {
        const [own, other] = ['Containerfile', 'reference'].map((suffix) => join(cases, `${name}.${suffix}`))
        const file = existsSync(other as string) ? other : own
        const at = name.endsWith('-rw') ? spoilt : context
        await reference.build(name, file as string, at, argsOf(name, context)).catch((error) => failed.set(name, error))
      },
      { limit: reference.places },
    )
  }
})

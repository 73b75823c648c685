import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { quoteWord } from '../../sdk/image/words.js'
import { builder, command, lane, removeTree, top } from '../lane.js'
import { makeBase } from './base.js'
import { argsOf, caseNames, cases } from './cases.js'
import { makeContext } from './context.js'

/** What `convert` refuses, as docs/convert.md tells. */
const refused = ['run-heredoc-shebang']
/** A recipe is for one target, and takes neither `--label` nor a proxy; the other flags of a case are variables of its recipe. */
const withFlags = ['arg-predefined', 'labels-option', 'target']
const names = caseNames().filter((name) => !refused.includes(name) && !withFlags.includes(name))

// Each lane writes one of the two, for both take half a minute.
const end = lane() === 'root' ? 'ts' : 'sh'

describe(`the corpus converted to ${end}: a recipe gives the image that the Containerfile gives`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'convert-'))
  const [store, context] = [join(folder, 'store'), join(folder, 'context')]
  const places = { BUILDER_ROOT: join(store, 'root'), BUILDER_RUNROOT: join(store, 'run') }
  const env = { ...places, SOURCE_DATE_EPOCH: '1700000000', B: join(top, 'bin/builder') }
  let built: Readonly<Record<string, string>> = {}
  let recipes: Readonly<Record<string, string>> = {}

  before(async () => {
    mkdirSync(join(folder, 'node_modules'), { recursive: true })
    mkdirSync(context)
    makeContext(context)
    await makeBase(folder, store)
    symlinkSync(top, join(folder, 'node_modules/builder-sdk'))
    symlinkSync(env.B, join(folder, 'builder'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    built = await idsOf(names.map((name) => `"$B" build -q -f ${fileOf(name)} ${flagsOf(name)} ${quoteWord(context)}`))
    await idsOf(
      names.map((name) => `"$B" convert --contextdir ${quoteWord(context)} -o ${recipeOf(name)} ${fileOf(name)}`),
    )
    recipes =
      end === 'sh' ? await idsOf(names.map((name) => `${variablesOf(name)} bash ${recipeOf(name)}`)) : await imported()
  })

  after(() => removeTree(folder))

  for (const name of names)
    it(name, () => {
      assert.match(built[name] ?? '', /^[0-9a-f]{64}$/)
      assert.equal(recipes[name], built[name])
    })

  it('a heredoc that is a program of its own is refused with its place', async () => {
    for (const name of refused) {
      const { code, stderr } = await builder(['convert', join(cases, `${name}.Containerfile`)], { store, env })
      assert.equal(code, 125)
      assert.match(stderr, new RegExp(`${name}.Containerfile:2: `))
    }
  })

  /** What a line for each case prints last, all in one session; what it says instead when it fails. */
  async function idsOf(lines: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const script = lines.map((line, i) => `echo ${names[i]} "$(${line} 2>&1 | tail -n 1)"`).join('\n')
    const path = `${folder}:${process.env.PATH}`
    const { stdout } = await builder(['unshare', 'bash', '-c', script], {
      store,
      env: { ...env, PATH: path },
      cwd: context,
    })
    return Object.fromEntries(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)]),
    )
  }

  /** All in one process, one after the other; each prints its image. */
  async function imported(): Promise<Readonly<Record<string, string>>> {
    const lines = names.map((name) => {
      const set = JSON.stringify(givenTo(name))
      return `Object.assign(process.env, ${set}); console.log('=${name}'); await import('./${name}.ts').catch((error) => console.log(error.message))`
    })
    writeFileSync(join(folder, 'all.ts'), lines.join('\n'))
    const ran = await command([join(top, 'node_modules/.bin/tsx'), join(folder, 'all.ts')], { env, cwd: context })
    return Object.fromEntries(
      ran.stdout
        .split(/^=/m)
        .slice(1)
        .map((part) => [part.split('\n')[0], part.trimEnd().split('\n').at(-1) ?? '']),
    )
  }

  function fileOf(name: string): string {
    return quoteWord(join(cases, `${name}.Containerfile`))
  }

  function recipeOf(name: string): string {
    return quoteWord(join(folder, `${name}.${end}`))
  }

  function flagsOf(name: string): string {
    return argsOf(name, context).map(quoteWord).join(' ')
  }

  function variablesOf(name: string): string {
    return Object.entries(givenTo(name))
      .map(([variable, value]) => `${variable}=${quoteWord(value)}`)
      .join(' ')
  }

  /** A build's flags as the variables of its recipe. */
  function givenTo(name: string): Readonly<Record<string, string>> {
    return Object.fromEntries(
      argsOf(name, context).map((flag) => {
        const [, variable = '', value = ''] = /^--build-arg=(\w+)=(.*)$/.exec(flag) ?? []
        const [, id = '', file = ''] = /^--secret=id=(\w+),src=(.*)$/.exec(flag) ?? []
        return id ? [`SECRET_${id.toUpperCase()}`, file] : [variable, value]
      }),
    )
  }
})

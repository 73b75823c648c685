import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { top } from '../lane.js'
import { read, sources, trackedFiles } from './source.js'

const self = 'test/architecture/words.test.ts'
const texts = trackedFiles().filter((file) => file !== self && !/\.(png|gz|tar|wasm)$/.test(file))

const forbidden: Record<string, RegExp> = {
  'a path of somebody’s machine': /(?<![\w.>})\]$*"'`-])\/(?:work|workspace|builds|Users|tmp\/plan)\/[\w.-]+/,
  'this folder': new RegExp(literal(top)),
  'my home folder': homedir().split('/').length > 2 ? new RegExp(literal(homedir())) : /(?!)/,
  'a package registry or its key': /registry\.(?:npm|yarn)|npmmirror|_authToken|artifactory|verdaccio|jfrog/i,
  'a thing left to do': /\b(?:TODO|FIXME|XXX)\b/,
}
for (const [what, pattern] of Object.entries(forbidden))
  test(`no tracked file names ${what}`, () => assert.deepEqual(linesWith(texts, pattern), []))

test('no check is silenced and no test is left out', () => {
  const code = texts.filter((file) => /\.(ts|mjs)$/.test(file) && !file.includes('.gen.'))
  const pattern = /@ts-(?:ignore|nocheck|expect-error)|biome-ignore [^:]*$|\b(?:test|it|describe)\.(?:only|skip|todo)\b/
  assert.deepEqual(linesWith(code, pattern), [])
})

test('the npm commands in the documents exist', () => {
  const { scripts } = JSON.parse(read('package.json'))
  const missing = documents().flatMap(({ file, code }) =>
    [...code.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)]
      .map(([, name, own]) => name ?? own ?? '')
      .filter((name) => !(name in scripts))
      .map((name) => `${file}: npm run ${name}`),
  )
  assert.deepEqual(missing, [])
})

test('the verbs in the documents exist', (_t) => {
  const verbs = new Set(sources('sdk/verbs').flatMap(verbsOf))
  const missing = documents().flatMap(({ file, code }) =>
    [...code.matchAll(/(?<![\w./-])builder (?:--[\w-]+(?:=\S+)? )*([a-z][\w-]*)/g)]
      .filter(([, verb = '']) => !verbs.has(verb) && !['help', 'completion'].includes(verb))
      .map(([call]) => `${file}: ${call}`),
  )
  assert.deepEqual(missing, [])
})

test('the links in the documents lead somewhere', () => {
  const dead = documents().flatMap(({ file, text }) =>
    [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)]
      .filter(([, target = '']) => !existsSync(join(top, file, '..', target)))
      .map(([, target]) => `${file}: ${target}`),
  )
  assert.deepEqual(dead, [])
})

// A verb's file has its name; `@verb NAME` says it where the name is no TypeScript identifier.
function verbsOf(file: string): string[] {
  const found = /^ \* @verb(?: +([\w-]+))?/m.exec(read(file))
  return found ? [found[1] ?? (file.split('/').at(-1) ?? '').replace(/\.ts$/, '')] : []
}

// Every document with what is code in it: blocks of shell (comments taken away) and words between backquotes.
function documents(): { file: string; text: string; code: string }[] {
  return trackedFiles()
    .filter((file) => file.endsWith('.md'))
    .map((file) => {
      const text = read(file)
      const blocks = [...text.matchAll(/^```(?:sh|console)\n(.*?)^```/gms)].map(([, block = '']) =>
        block.replace(/(^|\s)#.*$/gm, ''),
      )
      const words = [...text.replace(/^```.*?^```/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, word]) => word)
      return { file, text, code: [...blocks, ...words].join('\n') }
    })
}

function linesWith(files: readonly string[], pattern: RegExp): string[] {
  return files.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  )
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

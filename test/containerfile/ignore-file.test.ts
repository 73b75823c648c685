import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { findIgnoreFile } from '../../sdk/containerfile/ignore-file.js'
import { tempDir } from '../lane.js'

function folderWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = tempDir(t)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

describe('the ignore file of a build', () => {
  const cases: [why: string, there: string[], containerfile: string | undefined, found: string | undefined][] = [
    ['none', ['context/x'], 'context/Containerfile', undefined],
    ['.dockerignore', ['context/.dockerignore'], 'context/Containerfile', 'context/.dockerignore'],
    [
      '.containerignore comes first',
      ['context/.dockerignore', 'context/.containerignore'],
      'context/Containerfile',
      'context/.containerignore',
    ],
    [
      'the file of a Containerfile comes before both',
      ['context/.containerignore', 'context/web.Containerfile.dockerignore'],
      'context/web.Containerfile',
      'context/web.Containerfile.dockerignore',
    ],
    [
      'its .containerignore comes first',
      ['context/web.containerignore', 'context/web.dockerignore'],
      'context/web',
      'context/web.containerignore',
    ],
    [
      'that of another Containerfile does not count',
      ['context/web.dockerignore', 'context/.dockerignore'],
      'context/db',
      'context/.dockerignore',
    ],
    ['it stands beside a Containerfile elsewhere', ['other/web.dockerignore'], 'other/web', 'other/web.dockerignore'],
    ['a Containerfile from stdin has none of its own', ['context/-.dockerignore'], undefined, undefined],
  ]
  for (const [why, there, containerfile, found] of cases)
    it(why, async (t) => {
      const folder = folderWith(t, Object.fromEntries(['context/here', ...there].map((name) => [name, ''])))
      const at = containerfile === undefined ? undefined : join(folder, containerfile)
      const { path } = (await findIgnoreFile(join(folder, 'context'), at)) ?? {}
      assert.equal(path === undefined ? undefined : relative(folder, path), found)
    })

  it('an empty one hides those that come later', async (t) => {
    const context = folderWith(t, { '.containerignore': '', '.dockerignore': '*' })
    assert.equal((await findIgnoreFile(context))?.rules.ignores('x'), false)
  })

  it('a link on top of a context does not lead out of it', async (t) => {
    const folder = folderWith(t, { outside: '*', 'context/inside': 'secret' })
    symlinkSync('../outside', join(folder, 'context/.dockerignore'))
    assert.equal(await findIgnoreFile(join(folder, 'context')), undefined)
    symlinkSync('inside', join(folder, 'context/.containerignore'))
    const found = await findIgnoreFile(join(folder, 'context'))
    assert.equal(found?.rules.ignores('secret'), true)
  })

  it('says the line of a malformed pattern', async (t) => {
    const context = folderWith(t, { '.dockerignore': '# comment\nok\nlog[0-9\n' })
    await assert.rejects(findIgnoreFile(context), {
      code: 'INVALID',
      message: `ignore ${context}/.dockerignore:3: the pattern log[0-9 is malformed; close the [ with ], or write \\[ for a plain one`,
    })
  })

  it('does not wait at a pipe, and reads no folder', async (t) => {
    const context = folderWith(t, {})
    execFileSync('mkfifo', [join(context, '.dockerignore')])
    await assert.rejects(findIgnoreFile(context), {
      code: 'INVALID',
      message: `read ignore file ${context}/.dockerignore: it is no file; remove it, or put a file in its place`,
    })
    mkdirSync(join(context, '.containerignore'))
    await assert.rejects(findIgnoreFile(context), { code: 'INVALID', message: /\.containerignore: it is no file/ })
  })

  it('does not read one without end', async (t) => {
    const context = folderWith(t, { '.dockerignore': '' })
    truncateSync(join(context, '.dockerignore'), 2 ** 34)
    await assert.rejects(findIgnoreFile(context), { code: 'INVALID', message: /it is larger than 16 MiB/ })
  })
})

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are a Containerfile's variables
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { builder, tempDir } from '../lane.js'

describe('build --check', () => {
  const store = tempDir({ after })
  const context = tempDir({ after })
  const build = (text: string, ...args: readonly string[]) => {
    writeFileSync(join(context, 'Containerfile'), text)
    return builder(['build', ...args, context], { store })
  }

  before(async () => {
    const { code, stderr } = await build('FROM scratch\nENV GOPATH=/go\n', '-q', '-t', 'go')
    assert.equal(code, 0, stderr)
  })
  it('knows the arguments that are given, and the environment of a base image in the store', async () => {
    const text = 'ARG BASE\nFROM ${BASE:?missing}\nENV X=$GOPATH Y=$GOPTH\nARG USER\nUSER ${USER:?missing}\n'
    const { code, stdout } = await build(text, '--check', '--build-arg=BASE=go', '--build-arg=USER=1')
    assert.deepEqual(
      [code, stdout.split('\n', 1)[0]?.replace(/^.*Containerfile:/, '')],
      [0, "3: UndefinedVar: Usage of undefined variable '$GOPTH' (did you mean $GOPATH?)"],
    )
    const asked = await build(text, '--check', '--build-arg=BASE=go')
    assert.equal(asked.code, 125)
    assert.match(
      asked.stderr,
      /^builder: expand \S*Containerfile:5:6: USER: missing\n {2}5 \| USER \$\{USER:\?missing\}\n {4}\| {6}\^+$/m,
    )
  })

  it('a build is not refused for what it never comes to', async () => {
    const text = 'FROM scratch\nUSER ${NONE:?missing}\nFROM scratch\nARG N\nUSER ${N:?missing}\n'
    const { code, stderr } = await build(text, '-q', '--build-arg=N=1')
    assert.equal(code, 0, stderr)
  })

  it('says nothing where there is nothing to say', async () => {
    const { code, stdout } = await build('FROM scratch\nENV A=1\n', '--check')
    assert.deepEqual([code, stdout], [0, 'no warnings found\n'])
  })
})

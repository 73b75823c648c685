import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nearestWord, nearestWords } from '../../sdk/image/near-word.js'

const verbs = [
  'from',
  'run',
  'rm',
  'rmi',
  'commit',
  'config',
  'containers',
  'copy',
  'mount',
  'umount',
  'images',
  'inspect',
]

describe('the nearest word', () => {
  const cases: [string, string | undefined][] = [
    ['form', 'from'],
    ['fro', 'from'],
    ['FROM', 'from'],
    ['comit', 'commit'],
    ['unmount', 'umount'],
    ['contain', 'containers'],
    ['image', 'images'],
    ['xyzzy', undefined],
    ['q', undefined],
    ['', undefined],
  ]
  for (const [word, expected] of cases) it(word || 'no word', () => assert.equal(nearestWord(word, verbs), expected))

  it('offers several that are as near, most likely first', () => {
    assert.deepEqual(nearestWords('rn', ['run', 'rm', 'tag']), ['rm', 'run'])
    assert.deepEqual(nearestWords('con', verbs), ['config', 'containers'])
  })
})

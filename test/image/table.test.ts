import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatAge, formatSize, formatTable } from '../../sdk/image/table.js'

describe('tables', () => {
  const cases: [string, string[][], string][] = [
    ['no rows', [], ''],
    ['one cell', [['a']], 'a'],
    [
      'columns as wide as the longest cell',
      [
        ['NAME', 'ID'],
        ['longer', 'x'],
      ],
      'NAME     ID\nlonger   x',
    ],
    ['rows of different length', [['a'], ['b', 'c']], 'a\nb   c'],
    [
      'nothing behind the last column',
      [
        ['a', ''],
        ['bb', 'c'],
      ],
      'a\nbb   c',
    ],
    [
      'wide and combining characters',
      [
        ['日本', 'x'],
        ['e\u0301', 'y'],
      ],
      '日本   x\ne\u0301      y',
    ],
  ]
  for (const [title, rows, expected] of cases) it(title, () => assert.equal(formatTable(rows), expected))
})

describe('sizes', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1000, '1 KB'],
    [1024, '1.02 KB'],
    [12_345, '12.3 KB'],
    [123_456, '123 KB'],
    [999_499, '999 KB'],
    [999_500, '1 MB'],
    [12_300_000, '12.3 MB'],
    [4_560_000_000, '4.56 GB'],
    [7.8e12, '7.8 TB'],
    [7.8e15, '7800 TB'],
  ]
  for (const [bytes, expected] of cases) it(`${bytes} bytes`, () => assert.equal(formatSize(bytes), expected))
})

describe('ages', () => {
  const minute = 60
  const hour = 60 * minute
  const day = 24 * hour
  const cases: [number, string][] = [
    [-100, 'Less than a second ago'],
    [0.5, 'Less than a second ago'],
    [1, '1 second ago'],
    [59, '59 seconds ago'],
    [minute, 'About a minute ago'],
    [2 * minute, '2 minutes ago'],
    [59 * minute, '59 minutes ago'],
    [hour, 'About an hour ago'],
    [2 * hour, '2 hours ago'],
    [47 * hour, '47 hours ago'],
    [2 * day, '2 days ago'],
    [13 * day, '13 days ago'],
    [14 * day, '2 weeks ago'],
    [59 * day, '8 weeks ago'],
    [60 * day, '2 months ago'],
    [365 * day, '12 months ago'],
    [730 * day, '2 years ago'],
  ]
  const now = new Date('2020-01-01T00:00:00Z')
  for (const [seconds, expected] of cases)
    it(`${seconds} seconds`, () => assert.equal(formatAge(new Date(now.getTime() - seconds * 1000), now), expected))
})

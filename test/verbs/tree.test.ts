import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { tempDir } from '../lane.js'
import { refuses, said } from './cases.js'

/** `base`, `base:same` on the same layer, `web` and `web:2` with a layer more, `shop` with two more. */
before(async (t) => {
  const folder = tempDir(t as Parameters<typeof tempDir>[0])
  for (const [name, bytes] of [
    ['base', 40_000],
    ['web', 5_000],
    ['shop', 100],
  ] as const)
    writeFileSync(join(folder, name), 'x'.repeat(bytes))
  const c = await said('from', 'scratch')
  await said('copy', c, join(folder, 'base'), '/base')
  await said('config', '--created-by', 'COPY base /base', c)
  await said('commit', c, 'base')
  await said('config', '--env', 'A=1', '--history-comment', 'only a variable', c)
  await said('commit', c, 'base:same')
  await said('rm', c)
  const next = await said('from', 'base:same')
  await said('copy', next, join(folder, 'web'), '/web')
  await said('config', '--created-by', `COPY web /web ${'and more '.repeat(5)}`, next)
  await said('commit', next, 'web')
  await said('tag', 'web', 'web:2')
  await said('copy', next, join(folder, 'shop'), '/shop')
  await said('commit', next, 'shop')
})

/** A tree without what differs from run to run. */
async function treeOf(...words: string[]): Promise<string> {
  return (await said('tree', ...words)).replace(/ID: [0-9a-f]{12}/g, 'ID').replace(/Size: +[\d.]+ KB/g, 'Size')
}

describe('tree shows the layers, the lowest first, and who ends with each', () => {
  const base = 'Top Layer of: [localhost/base:latest localhost/base:same]'
  const web = 'Top Layer of: [localhost/web:2 localhost/web:latest]'
  for (const [words, lines] of [
    [
      ['web'],
      [
        'Image ID',
        'Tags:     [localhost/web:latest localhost/web:2]',
        'Size',
        'Image Layers',
        `├── ID Size ${base}`,
        `└── ID Size ${web}`,
      ],
    ],
    [['base'], ['Image ID', 'Tags:     [localhost/base:latest]', 'Size', 'Image Layers', `└── ID Size ${base}`]],
    [
      ['--whatrequires', 'base'],
      [
        'Image ID',
        'Tags:     [localhost/base:latest]',
        'Size',
        'Image Layers',
        `└── ID Size ${base}`,
        `    └── ID Size ${web}`,
        '        └── ID Size Top Layer of: [localhost/shop:latest]',
      ],
    ],
  ] as const)
    test(words.join(' '), async () => {
      assert.deepEqual(
        (await treeOf(...words))
          .replace(/^ID/, 'ID')
          .split('\n')
          .map((line) => line.replace(/^Image ID.*/, 'Image ID')),
        lines,
      )
    })

  test('--json', async () => {
    const { size, layers, requiredBy } = JSON.parse(await said('tree', '--json', '--whatrequires', 'base'))
    assert.equal(layers.length, 1)
    assert.ok(layers[0].size > 40_000 && size === layers[0].size)
    assert.deepEqual(requiredBy[0].requiredBy[0].topLayerOf, ['localhost/shop:latest'])
  })
})

describe('history shows the steps, newest first', () => {
  test('as a table', async () => {
    const [head, ...rows] = (await said('history', '--human=false', 'web')).split('\n')
    assert.match(head ?? '', /^ID +CREATED +CREATED BY +SIZE +COMMENT$/)
    assert.equal(rows.length, 3)
    assert.match(
      rows[0] ?? '',
      /^[0-9a-f]{12} +\d{4}-\d\d-\d\dT\S+Z +COPY web \/web and more and more and more a\.\.\. +\d{4}$/,
    )
    assert.match(rows[1] ?? '', / 0 +only a variable$/)
    assert.match(rows[2] ?? '', /^[0-9a-f]{12} .* COPY base \/base +\d{5}$/)
  })

  test('--no-trunc, --quiet, a template', async () => {
    assert.match(await said('history', '--no-trunc', 'web'), /^[0-9a-f]{64} .*COPY web \/web( and more){5} /m)
    const id = await said('images', '--quiet', 'web')
    assert.equal((await said('history', '-q', 'web')).split('\n')[0], id)
    assert.equal(
      await said('history', '--format', '{{.Size}}|{{.Comment}}', 'web').then((all) => all.split('\n')[1]),
      '0 B|only a variable',
    )
  })

  test('as JSON with podman’s fields', async () => {
    const [last, variable] = JSON.parse(await said('history', '--format', 'json', 'web'))
    assert.deepEqual(Object.keys(last), ['id', 'created', 'CreatedBy', 'size', 'comment'])
    assert.deepEqual([variable.size, variable.comment], [0, 'only a variable'])
  })

  test('of an image that tells nothing, a line a layer', async () => {
    const c = await said('from', 'web')
    await said('commit', '--rm', '--omit-history', c, 'silent')
    const rows = (await said('history', '--format', '{{.ID}} {{.CreatedBy}}{{.Created}}', 'silent')).split('\n')
    assert.equal(rows.length, 2)
    assert.match(rows[1] ?? '', /^<missing> unknown$/)
  })
})

refuses([
  [['tree', 'gone'], /^builder: tree gone: there is no such image/],
  [['tree'], /^builder: tree IMAGE: it is missing/],
  [['tree', 'base', 'web'], /^builder: tree/],
  [['history', 'gone'], /^builder: history gone: there is no such image/],
  [['history', '--format', '{{.Nope}}', 'web'], /there is no field \.Nope/],
  [['history', '--format', '{{', 'web'], /\{\{ is not closed/],
])

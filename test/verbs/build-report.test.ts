import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { BuildEvent } from '../../sdk/containerfile/event.js'
import { BuildRecord } from '../../sdk/verbs/build/record.js'
import { reportPath } from '../../sdk/verbs/build/report.js'
import { reportPage } from '../../sdk/verbs/build/report-page.js'
import { html } from '../../sdk/verbs/html.js'
import type { ReportedLayer } from '../../sdk/verbs/reported.js'
import { lane, needs, tempDir } from '../lane.js'
import { openPage } from './browser.js'
import { bad, begin, digest, end, good, out, stageOf } from './build-story.js'

const folder = tempDir({ after })

function recordOf(events: readonly BuildEvent[]): BuildRecord {
  const record = new BuildRecord()
  for (const event of events) record.note(event)
  return record
}

function layersOf(record: BuildRecord): readonly ReportedLayer[] {
  const files = {
    count: 2,
    removed: 1,
    biggest: [
      { name: 'usr/lib/libc.so', size: 1_900_000 },
      { name: 'etc/x', size: 7 },
    ],
  }
  const base = { diffID: digest('d'), size: 120_000_000, image: 'localhost/web:latest', files }
  const own = record.steps.flatMap((step) => (step.end?.layer ? [{ ...step.end.layer, step }] : []))
  return [base, ...own.map((layer, i) => ({ ...layer, ...(i === 2 ? { image: 'localhost/web:latest', files } : {}) }))]
}

function pageOf(name: string, events: readonly BuildEvent[], error?: string): string {
  const record = recordOf(events)
  const file = join(folder, `${name}.html`)
  writeFileSync(file, reportPage({ record, layers: layersOf(record), ...(error === undefined ? {} : { error }) }))
  return file
}

const text = (selector: string) => `document.querySelector(${JSON.stringify(selector)})?.innerText`

test('a page in a browser: a timeline, cache hits and misses, layers and their biggest files', async (t) => {
  if (!needs(t, 'chromium')) return
  const page = await openPage(t, pageOf('good', good))
  assert.deepEqual(page.complaints, [])
  assert.deepEqual(
    page.requests.filter((url) => !/^(file|data):/.test(url)),
    [],
  )
  assert.equal(await page.value('document.title'), 'localhost/web:latest - builder build')
  assert.match(await page.value(text('.totals')), /Stages\s+3\s+Steps\s+7 of 7\s+From the cache\s+2 of 7 steps/)
  // One bar a step, in a row for its stage, each where it began and as wide as it took.
  const bars = await page.value<[string, number, number][][]>(
    `[...document.querySelectorAll('.timeline svg')].map((row) => [...row.querySelectorAll('rect')].map((bar) =>
      [bar.getAttribute('class'), Math.round(bar.x.baseVal.value), Math.round(bar.width.baseVal.value)]))`,
  )
  assert.deepEqual(bars, [
    [
      ['hit', 0, 3],
      ['done', 1, 931],
    ],
    [
      ['hit', 0, 3],
      ['done', 1, 984],
    ],
    [
      ['done', 985, 3],
      ['done', 985, 8],
      ['done', 993, 3],
    ],
  ])
  assert.match(
    await page.value(text('table.steps')),
    /CACHED[\s\S]*not in the cache: the command differs[\s\S]*command was\s+apt-get upgrade\s+is\s+apt-get update[\s\S]*45 MB/,
  )
  assert.match(await page.value(text('table.layers')), /d00000000000\s+120 MB\s+the base image\s+2 files, 1 taken away/)
  assert.equal(
    await page.value(`document.querySelectorAll('table.layers')[1].querySelector('caption').innerText`),
    'Layers that are in no image 2 layers, 45 MB',
  )
  await page.value(`document.querySelector('table.layers details').open = true`)
  assert.match(await page.value(text('table.files')), /1.9 MB\s+\/usr\/lib\/libc.so\s+7 B\s+\/etc\/x/)

  // The keyboard: the first thing is a bar, which leads to its step; / goes to the field that finds steps.
  await page.press('Tab')
  await page.press('Tab')
  assert.match(
    await page.value('document.activeElement.getAttribute("aria-label")'),
    /^RUN apt-get update: done, 12 s$/,
  )
  await page.press('Enter')
  assert.equal(await page.value('location.hash'), '#step-2')
  await page.press('/')
  for (const key of 'make') await page.press(key)
  const found = `[...document.querySelectorAll('table.steps tbody tr:not([hidden])')].map((row) => row.querySelector('code').innerText)`
  assert.deepEqual(await page.value(found), ['RUN make docs'])
  await page.press('Escape')
  assert.equal((await page.value<string[]>(found)).length, 7)

  const background = 'getComputedStyle(document.body).backgroundColor'
  await page.prefer('dark')
  assert.equal(await page.value(background), 'rgb(13, 17, 23)')
  await page.prefer('light')
  assert.equal(await page.value(background), 'rgb(255, 255, 255)')
  const wide = 'document.documentElement.scrollWidth <= document.documentElement.clientWidth'
  assert.equal(await page.value(wide), true)
})

test('a page of a failed build, without scripts: why it failed stands on top, with the end of the output', async (t) => {
  if (!needs(t, 'chromium')) return
  const page = await openPage(t, pageOf('bad', bad, 'Containerfile:2\n  RUN make docs\n  ^'), {
    hasScripts: false,
    width: 400,
  })
  assert.deepEqual(page.complaints, [])
  assert.equal(await page.value(text('h1 .state')), 'failed')
  assert.match(
    await page.value(text('.failure')),
    /Containerfile:2\n {2}RUN make docs\n {2}\^\s+RUN make docs\s+Output, the last 20 lines\s+line 31\n[\s\S]*line 50$/,
  )
  assert.equal(await page.value(`document.querySelectorAll('.find').length`), 0)
  assert.deepEqual(
    await page.value(`[...document.querySelectorAll('.timeline rect')].map((bar) => bar.getAttribute('class'))`),
    ['hit', 'stopped', 'hit', 'failed'],
  )
  assert.equal(await page.value('document.documentElement.scrollWidth <= document.documentElement.clientWidth'), true)
})

const hostile = `"><script>document.title='broken'</script><img src=x onerror="document.title='broken'">&amp;\u001b[31m\u202e\`</style></script>-->`

test('what a build file says is text on the page, wherever it stands', async (t) => {
  if (!needs(t, 'chromium')) return
  const stage = { ...stageOf('s', [hostile]), id: hostile }
  const events: BuildEvent[] = [
    { type: 'plan', time: 0, stages: [{ ...stage, needs: [hostile] }] },
    { ...begin(1, 's.1'), stage: hostile } as BuildEvent,
    out(2, 's.1', hostile),
    {
      ...end(3, 's.1', {
        state: 'failed',
        explanation: {
          state: 'miss',
          key: digest('1'),
          reason: hostile,
          differs: { input: hostile, was: hostile, is: hostile },
        },
        layer: { diffID: digest('e'), size: 1 },
      }),
      stage: hostile,
    } as BuildEvent,
    { type: 'warning', time: 4, message: hostile, position: { file: hostile, line: 1, text: '' } },
    { type: 'image', time: 5, id: hostile, names: [hostile], platform: hostile },
  ]
  const page = await openPage(t, pageOf('hostile', events, hostile))
  assert.deepEqual(page.complaints, [])
  assert.match(await page.value('document.title'), /^"><script>document\.title='broken'/)
  assert.deepEqual(
    await page.value(`[document.scripts.length, document.images.length, document.querySelectorAll('style').length]`),
    [1, 0, 1],
  )
  assert.match(await page.value(text('td code')), /&amp;\\u\{1b\}\[31m\\u\{202e\}`<\/style>/)
})

test('values in a template are escaped, in text and in attributes', () => {
  const list = [html`<b>${'<'}</b>`, '&', 1, undefined, false] as const
  assert.equal(
    html`<a title="${`"'><\n`}">${list}</a>`.text,
    '<a title="&#34;&#39;&#62;&#60;\n"><b>&#60;</b>&#38;1</a>',
  )
})

describe('a place where no report can be written is said before the build', () => {
  mkdirSync(join(folder, 'directory'))
  mkdirSync(join(folder, 'closed'), { mode: 0o555 })
  const rows: readonly (readonly [string, string])[] = [
    ['directory', 'it is a directory'],
    ...(lane() === 'root'
      ? []
      : [['closed/more/build.html', `${join(folder, 'closed')} cannot be written to`] as const]),
  ]
  for (const [name, reason] of rows)
    test(name, () => {
      const path = join(folder, name)
      assert.throws(() => reportPath(path), {
        message: `build --report ${path}: ${reason}; name a file, such as build.html`,
      })
    })
  test('folders that are not there are made', () => {
    assert.equal(reportPath(join(folder, 'new/x.html')), join(folder, 'new/x.html'))
  })
})

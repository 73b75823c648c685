import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { outputsFor } from '../../bin/generate/outputs.js'
import { needs, top } from '../lane.js'

describe('man pages', () => {
  for (const folder of ['test/bin/fixtures', '.'])
    for (const [path, text] of outputsFor(join(top, folder)))
      if (path.startsWith('docs/man/'))
        it(`${folder === '.' ? '' : 'fixtures: '}${path} has no fault that mandoc knows`, (t) => {
          if (!needs(t, 'mandoc')) return
          const { stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'style'], { input: text, encoding: 'utf8' })
          assert.deepEqual(
            stdout.split('\n').filter((line) => line !== '' && !line.includes('referenced manual')),
            [],
          )
        })
})

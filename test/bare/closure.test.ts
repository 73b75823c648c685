import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closureOf } from '../../sdk/distro/closure.js'

test('a closure needs no program of the host', async () => {
  const { files } = await closureOf(['/usr/bin/env'])
  assert.ok(
    files.some((file) => /\/libc\.so|\/libc\.musl/.test(file)),
    files.join(' '),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redaction, redactText } from '../../sdk/runtime/redact.js'

const key = '-----BEGIN-----\nAbCdEf012345\nzyxwvut\n-----END-----\n'
const binary = Buffer.from([0, 255, 254, 10, 13, 128, 200, 7])

const rows: readonly (readonly [title: string, secrets: readonly (string | Buffer)[], text: string, gives: string])[] =
  [
    ['nothing without secrets', [], 'hunter2', 'hunter2'],
    ['a secret', ['hunter2'], 'a hunter2 b', 'a *** b'],
    ['a secret next to itself', ['hunter2'], 'hunter2hunter2', '******'],
    ['a secret with a line end, printed without', ['hunter2\n'], '[hunter2]', '[***]'],
    ['what only begins as one', ['hunter2'], 'hunter hunte', 'hunter hunte'],
    ['the longer one of two', ['abcd', 'abcdefgh'], 'abcdefgh abcdef', '*** ***ef'],
    ['a secret that begins again in itself', ['aabaac'], 'aabaabaac', 'aab***'],
    ['all lines at once', [key], `<${key.trimEnd()}>`, '<***>'],
    ['one line', [key], 'x AbCdEf012345 y', 'x *** y'],
    ['lines as a terminal ends them', [key], key.trimEnd().replaceAll('\n', '\r\n'), '***'],
    ['base64', ['hunter2-hunter2'], Buffer.from('hunter2-hunter2').toString('base64'), '***'],
    ['as JSON has it', ['say "hi" twice'], JSON.stringify('say "hi" twice'), '"***"'],
    ['a short one', ['ab'], 'cabbage', 'c***bage'],
    ['an empty one', ['', '\n'], 'text\n', 'text\n'],
    ['a short line of a long one is any word', ['{\nsecret: 1234\n}'], '{ secret: 1234 }', '{ *** }'],
  ]

for (const [title, secrets, text, gives] of rows)
  test(`redacts ${title}, however it comes`, () => {
    const all = secrets.map((one) => Buffer.from(one as string))
    assert.equal(redactText(text, all), gives)
    const bytes = Buffer.from(text)
    for (let size = 1; size < bytes.length; size++)
      assert.equal(inPieces(bytes, size, all).toString(), gives, `${size}`)
  })

test('redacts bytes that are no text', () => {
  const whole = Buffer.concat([Buffer.from('a'), binary, Buffer.from('b')])
  for (let size = 1; size <= whole.length; size++) assert.equal(inPieces(whole, size, [binary]).toString(), 'a***b')
})

test('keeps back no more than could become a secret', () => {
  const redaction = new Redaction([Buffer.from('hunter2')])
  assert.deepEqual(
    [redaction.push(Buffer.from('50 % hun')).toString(), redaction.push(Buffer.from('ting')).toString()],
    ['50 % ', 'hunting'],
  )
})

function inPieces(bytes: Buffer, size: number, secrets: readonly Uint8Array[]): Buffer {
  const redaction = new Redaction(secrets)
  const clean: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) clean.push(redaction.push(bytes.subarray(at, at + size)))
  return Buffer.concat([...clean, redaction.end()])
}

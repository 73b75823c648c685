import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { readCertificates } from '../../../sdk/transport/registry/certs.js'
import { home, setVariables } from './places.js'

const pem = '-----BEGIN CERTIFICATE-----\n'

test('certificates: authorities, and the pair of one name', async (t) => {
  const folder = home(t, {
    'bundle.pem': `${pem}system`,
    'certs/b.crt': `${pem}b`,
    'certs/a.crt': `${pem}a`,
    'certs/own.cert': `${pem}own`,
    'certs/own.key': '-----BEGIN PRIVATE KEY-----\nkey',
    'certs/README': 'not read',
  })
  setVariables(t, { SSL_CERT_FILE: join(folder, 'bundle.pem') })
  const { ca } = await readCertificates([])
  assert.deepEqual(ca, [`${pem}system`])
  const found = JSON.stringify(await readCertificates([join(folder, 'certs')]))
  for (const part of ['system', 'a', 'b', 'own']) assert.ok(found.includes(JSON.stringify(`${pem}${part}`)), part)
  assert.ok(found.includes('PRIVATE KEY') && !found.includes('not read'))
})

test('certificates: what is wrong in a folder', async (t) => {
  const cases: readonly [name: string, content: string, message: RegExp][] = [
    ['a.cert', pem, /read certificates? \S+\/a\.cert: .*a\.key is not beside it/],
    ['a.key', pem, /read certificates? \S+\/a\.key: .*a\.cert is not beside it/],
    ['ca.crt', '0\x82', /read certificates? \S+\/ca\.crt: it is not in PEM form; openssl x509 -inform der/],
  ]
  for (const [name, content, message] of cases) {
    const folder = home(t, { [`certs/${name}`]: content })
    await assert.rejects(readCertificates([join(folder, 'certs')]), message)
  }
})

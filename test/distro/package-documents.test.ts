import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { asCycloneDx } from '../../sdk/distro/cyclonedx.js'
import { licenseExpression } from '../../sdk/distro/license-expression.js'
import type { PackageList } from '../../sdk/distro/package-list.js'
import { packageUrl } from '../../sdk/distro/package-url.js'
import { asSpdx } from '../../sdk/distro/spdx.js'
import { top } from '../lane.js'
import { spdxRules } from './spdx-rules.js'

const require = createRequire(import.meta.url)
const parseExpression = require('spdx-expression-parse') as (text: string) => unknown

/** What can go wrong in a document: no fields but the needed ones, all of them, odd characters, the same package twice. */
const bare = { type: 'rpm', name: 'bare', version: '1', arch: 'noarch', purl: 'pkg:rpm/bare@1?arch=noarch' } as const
const list: PackageList = {
  of: { type: 'image', name: 'localhost/web:latest', id: 'ab'.repeat(32), created: '2023-11-14T22:13:20.5Z' },
  distribution: { id: 'fedora', version: '40', name: 'Fedora Linux 40' },
  databases: [{ path: '/usr/lib/sysimage/rpm/rpmdb.sqlite', kind: 'rpm-sqlite' }],
  packages: [
    bare,
    bare,
    {
      type: 'rpm',
      name: 'gcc-c++',
      epoch: 1,
      version: '13~rc1',
      release: '1.fc40',
      arch: 'x86_64',
      source: 'gcc',
      sourceVersion: '13-1.fc40',
      license: 'GPLv3+ and\nGPLv3+ with exceptions',
      vendor: 'Example & Söhne\nline',
      summary: 'odd \u001b[31m characters',
      homepage: 'https://gcc.example/a b?c=d&e',
      size: 12,
      installed: '2023-11-14T22:13:20Z',
      headerDigest: `sha256:${'cd'.repeat(32)}`,
      purl: 'pkg:rpm/fedora/gcc-c%2B%2B@13~rc1-1.fc40?arch=x86_64&distro=fedora-40&epoch=1',
    },
    { ...bare, name: 'free', license: 'mit or apache-2.0', purl: 'pkg:rpm/free@1' },
    {
      ...bare,
      name: 'listed',
      license: 'mit OR (apache-2.0 AND gpl-2.0+)',
      homepage: 'javascript:x',
      purl: 'pkg:rpm/l@1',
    },
    { ...bare, type: 'deb', name: 'libc6', maintainer: 'A Team <team@example.com>', purl: 'pkg:deb/debian/libc6@1' },
  ],
}
const source = { version: '1.2.3', epoch: 1 }

test('the CycloneDX document is valid by the published schema', () => {
  const validate = cycloneDxSchema()
  assert.ok(validate(asPlain(asCycloneDx(list, source))), JSON.stringify(validate.errors))
  assert.ok(validate(asPlain(asCycloneDx({ ...list, packages: [] }, source))), JSON.stringify(validate.errors))
  assert.equal(validate({ bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ type: 'x' }] }), false)
})

test('the SPDX document is valid by the rules of the specification', () => {
  const validate = new Ajv({ allErrors: true }).compile(spdxRules)
  const document = asSpdx(list, source)
  assert.ok(validate(asPlain(document)), JSON.stringify(validate.errors))
  assert.ok(validate(asPlain(asSpdx({ ...list, packages: [] }, source))), JSON.stringify(validate.errors))
  assert.equal(validate({ ...asPlain(document), dataLicense: 'MIT' }), false)
  const ids = document.packages.map(({ SPDXID }) => SPDXID)
  assert.equal(new Set(ids).size, list.packages.length + 1)
  for (const { relatedSpdxElement } of document.relationships) assert.ok(ids.includes(relatedSpdxElement))
  const described = document.relationships.filter(({ relationshipType }) => relationshipType === 'DESCRIBES')
  assert.deepEqual(
    described.map(({ relatedSpdxElement }) => relatedSpdxElement),
    ['SPDXRef-Image'],
  )
  const contained = document.relationships.filter(({ relationshipType }) => relationshipType === 'CONTAINS')
  assert.equal(contained.length, list.packages.length)
})

test('every license of the documents is an SPDX expression, and what it refers to is there', () => {
  const document = asSpdx(list, source)
  const referred = (document.hasExtractedLicensingInfos ?? []).map(({ licenseId }) => licenseId)
  const declared = document.packages.map(({ licenseDeclared }) => licenseDeclared)
  for (const license of declared.filter((one) => one !== 'NOASSERTION')) {
    assert.ok(parseExpression(license), license)
    if (license.startsWith('LicenseRef-')) assert.ok(referred.includes(license), license)
  }
  assert.ok(declared.includes('MIT OR (Apache-2.0 AND GPL-2.0+)'))
  assert.ok(declared.some((one) => /^LicenseRef-GPLv3-and-GPLv3-with-exceptions-[0-9a-f]{12}$/.test(one)))
})

test('the same list gives the same bytes, another list another document', () => {
  for (const write of [asSpdx, asCycloneDx]) {
    const text = JSON.stringify(write(list, source))
    assert.equal(JSON.stringify(write(asPlain(list) as PackageList, source)), text)
    assert.notEqual(JSON.stringify(write({ ...list, packages: [bare] }, source)), text)
    assert.match(text, /2023-11-14T22:13:20Z/)
    const { created: _, ...timeless } = list.of
    assert.match(JSON.stringify(write({ ...list, of: timeless }, source)), /1970-01-01T00:00:01Z/)
  }
  const one = asCycloneDx(list, source).serialNumber
  assert.match(one, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.notEqual(asCycloneDx({ ...list, packages: [bare] }, source).serialNumber, one)
  assert.notEqual(asCycloneDx(list, { ...source, version: '2' }).serialNumber, one)
})

const expressions: readonly (readonly [text: string, expression: string | undefined])[] = [
  ['MIT', 'MIT'],
  ['mit', 'MIT'],
  ['GPL-2.0-or-later WITH Classpath-exception-2.0 AND MIT', 'GPL-2.0-or-later WITH Classpath-exception-2.0 AND MIT'],
  ['(mit AND (zlib OR bsd-3-clause))', '(MIT AND (Zlib OR BSD-3-Clause))'],
  ['Apache-2.0+', 'Apache-2.0+'],
  ['MIT and Zlib', undefined],
  ['GPLv2+', undefined],
  ['MIT OR', undefined],
  ['(MIT', undefined],
  ['MIT)', undefined],
  ['MIT Zlib', undefined],
  ['MIT WITH nothing', undefined],
  ['LicenseRef-Callaway-BSD', undefined],
  ['', undefined],
  ['('.repeat(4000), undefined],
  [`${'('.repeat(2000)}MIT${')'.repeat(2000)}`, undefined],
]

for (const [text, expression] of expressions)
  test(`license ${text.slice(0, 60)}: ${expression}`, () => {
    assert.equal(licenseExpression(text), expression)
    if (expression) assert.ok(parseExpression(expression))
  })

const urls: readonly (readonly [Parameters<typeof packageUrl>[0], Parameters<typeof packageUrl>[1], string])[] = [
  [
    { ...bare, name: 'a b', version: '1^2', release: '3' },
    { id: 'opensuse-leap', version: '15.6' },
    'pkg:rpm/opensuse/a%20b@1%5E2-3?arch=noarch&distro=opensuse-leap-15.6',
  ],
  [{ ...bare, epoch: 0 }, { id: 'fedora' }, 'pkg:rpm/fedora/bare@1?arch=noarch&distro=fedora&epoch=0'],
  [
    { ...bare, type: 'deb', name: 'libC', epoch: 1, release: '2+b1' },
    { id: 'debian', version: '12' },
    'pkg:deb/debian/libc@1:1-2%2Bb1?arch=noarch&distro=debian-12',
  ],
]

for (const [one, distribution, url] of urls)
  test(url, () => {
    assert.equal(packageUrl(one, distribution), url)
  })

/** The schemas are those that the project publishes, as its own library ships them. */
function cycloneDxSchema() {
  const folder = join(top, 'node_modules/@cyclonedx/cyclonedx-library/res/schema')
  const read = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.SNAPSHOT.schema.json`), 'utf8'))
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { 'iri-reference': true, 'idn-email': true } })
  addFormats.default(ajv)
  for (const name of ['jsf-0.82', 'spdx'])
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
  return ajv.compile(read('bom-1.6'))
}

function asPlain(value: object): object {
  return JSON.parse(JSON.stringify(value))
}

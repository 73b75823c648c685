import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findNamedContext, type NamedContext, namedContexts } from '../../sdk/containerfile/named-context.js'

const rows: Readonly<Record<string, { kind: NamedContext['kind']; where?: string; image?: string }>> = {
  'x=./site': { kind: 'files', where: './site' },
  'x=a=b': { kind: 'files', where: 'a=b' },
  'x=https://h/a.tar.gz': { kind: 'files', where: 'https://h/a.tar.gz' },
  'x=https://h/a.git#v1:d': { kind: 'files', where: 'https://h/a.git#v1:d' },
  'x=git@h:a/b': { kind: 'files', where: 'git@h:a/b' },
  'x=docker-image://alpine:3': { kind: 'image', image: 'alpine:3' },
  'x=container-image://alpine:3': { kind: 'image', image: 'alpine:3' },
  'x=docker://h/alpine': { kind: 'image', image: 'docker://h/alpine' },
  'x=containers-storage:alpine': { kind: 'image', image: 'containers-storage:alpine' },
  'x=oci:layout:v1': { kind: 'image', image: 'oci:layout:v1' },
  'x=oci-archive:a.tar': { kind: 'image', image: 'oci-archive:a.tar' },
  'x=oci-layout://a/b': { kind: 'image', image: 'oci:a/b' },
  'x=oci-layout:///a/b:v1': { kind: 'image', image: 'oci:/a/b:v1' },
  [`x=oci-layout://a@sha256:${'0'.repeat(64)}`]: { kind: 'image', image: `oci:a:@sha256:${'0'.repeat(64)}` },
}

for (const [text, context] of Object.entries(rows))
  test(`reads --build-context ${text.slice(0, 60)}`, () =>
    assert.deepEqual(namedContexts([text]).get('x'), { name: 'x', ...context }))

const names: readonly (readonly [context: string, asked: string, fits: boolean])[] = [
  ['base', 'base', true],
  ['Base', 'bASE', true],
  ['alpine', 'alpine:latest', true],
  ['alpine', 'docker.io/library/alpine', true],
  ['docker.io/library/alpine:3', 'alpine:3', true],
  ['alpine', 'alpine:3', false],
  ['alpine', 'quay.io/library/alpine', false],
  ['host:5000/a', 'host:5000/a:latest', true],
  ['0', '0', true],
]
for (const [context, asked, fits] of names)
  test(`the context ${context} is ${fits ? '' : 'not '}what ${asked} means`, () =>
    assert.equal(findNamedContext(namedContexts([`${context}=dir`]), asked) !== undefined, fits))

test('of two contexts of one name the last one counts', () =>
  assert.deepEqual(namedContexts(['a=1', 'A=2']).get('a'), { kind: 'files', name: 'a', where: '2' }))

for (const [text, says] of [
  ['x', /^read --build-context x: it is not NAME=VALUE; write --build-context NAME=FOLDER/],
  ['=x', /it is not NAME=VALUE/],
  ['x=', /it is not NAME=VALUE/],
  ['x=docker-image://', /nothing stands behind docker-image:\/\//],
  ['x=target:base', /a target is of docker buildx bake, builder has none/],
] as const)
  test(`refuses --build-context ${text}`, () =>
    assert.throws(() => namedContexts([text]), { code: 'USAGE', message: says }))

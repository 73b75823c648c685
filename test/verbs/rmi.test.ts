import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { refuses, said } from './cases.js'

before(async () => {
  await said('from', '--name', 'c', 'scratch')
  await said('commit', 'c', 'web')
  await said('tag', 'web', 'web:2', 'other')
  await said('from', '--name', 'user', 'web')
})

test('takes names away one by one', async () => {
  assert.equal(await said('rmi', 'other'), 'localhost/other:latest')
  assert.equal(await said('untag', 'web', 'web:2'), '')
  assert.equal(await said('rename', 'c', 'd'), '')
  assert.match(await said('rm', 'd'), /^[0-9a-f]{64}$/)
})

refuses([
  [['rmi'], /no image is named/],
  [['rmi', 'gone'], /^builder: rmi gone: there is no such image/],
  [['rmi', 'web'], /^builder: rmi web: containers use it: user; builder rm user, or rmi --force/],
  [['tag', 'web', 'UPPER'], /"UPPER": .*use lower-case letters/],
  [['tag', 'web'], /^builder: tag NAME: it is missing/],
  [['untag', 'web', 'gone'], /^builder: untag gone: the image has no such name; its names are localhost\/web:latest/],
  [['rename', 'user', 'a b'], /it is not a container name/],
  [['rename', 'gone', 'x'], /there is no such container/],
  [['rm'], /no container is named/],
  [['rm', 'user', 'gone'], /^builder: rm gone: there is no such container/],
  [['mount', 'gone'], /there is no such container/],
  [['unshare', '-m', '1x=user', 'true'], /"1x" cannot be the name of a variable/],
  [['materialize', 'gone'], /there is no such image/],
  [['prune', 'x'], /it takes no arguments/],
  [['check', 'x'], /it takes no arguments/],
  [['info', 'x'], /it takes no arguments/],
  [['version', 'x'], /it takes no arguments/],
  [['fromm'], /^builder: verb fromm: there is no such verb; did you mean from\?/],
  [['--bogus', 'from'], /^builder: flag --bogus: there is no such flag before the verb/],
  [['--storage-driver', 'x', 'images'], /"x" is not one of overlay, fuse-overlayfs, copy, vfs/],
])

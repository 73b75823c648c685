import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { builder } from '../lane.js'
import { refuses, said } from './cases.js'

before(() => said('from', '--name', 'c', 'scratch'))

test('prints the ID alone and takes buildah’s flags', async () => {
  const flags = ['-D', '-q', '--tls-verify=false', '--change', 'CMD ["x"]', '--timestamp', '0']
  assert.match(await said('commit', ...flags, 'c', 'web'), /^[0-9a-f]{64}$/)
  const shown = await said('inspect', '--type', 'image', '--format', '{{.OCIv1.Config.Cmd}} {{.OCIv1.Created}}', 'web')
  assert.equal(shown, '[x] 1970-01-01T00:00:00Z')
})

test('refuses a bad SOURCE_DATE_EPOCH', async () => {
  const { stderr, code } = await builder(['commit', 'c'], { env: { SOURCE_DATE_EPOCH: 'today' } })
  assert.match(stderr, /^builder: commit SOURCE_DATE_EPOCH=today: it is not a number of seconds since 1970/)
  assert.equal(code, 125)
})

refuses([
  [['commit', 'nope'], /^builder: commit nope: there is no such container/],
  [['commit', 'c', 'UPPER'], /image name "UPPER": .*use lower-case letters/],
  [['commit', 'c', 'a', 'b'], /^builder: commit b: one argument too many/],
  [['commit', '--timestamp', '-1', 'c'], /^builder: commit --timestamp -1: it is not a number of seconds/],
  [['commit', '--source-date-epoch', '1.5', 'c'], /^builder: commit --source-date-epoch 1.5: /],
  [['commit', '--change', 'RUN x', 'c'], /--change "RUN x": it is not an instruction that changes/],
  [['commit', '--change', 'CMD', 'c'], /--change "CMD": it says nothing/],
  [['commit', '--change', 'EXPOSE http', 'c'], /^builder: commit --change "EXPOSE http": "http": it is not a port/],
  [['commit', '--format', 'v2', 'c'], /"v2" is not one of oci, docker/],
  [['commit', '--sign-by', 'x', 'c'], /commit --sign-by: there is no such flag/],
])

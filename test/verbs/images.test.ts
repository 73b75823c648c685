import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { refuses, said } from './cases.js'

before(async () => {
  await said('from', '--name', 'c', 'scratch')
  await said('config', '--label', 'l=v', '--cmd', 'x', 'c')
  await said('commit', 'c', 'web')
  await said('tag', 'web', 'web:2')
})

test('lists, filters and prints by template', async () => {
  assert.equal(await said('images', '--format', '{{.Name}}:{{.Tag}}'), 'localhost/web:latest\nlocalhost/web:2')
  assert.match(await said('images', '-q', '--no-trunc', '--filter', 'label=l=v'), /^sha256:[0-9a-f]{64}$/)
  assert.equal(await said('images', '-q', '--filter', 'dangling=true'), '')
  assert.deepEqual(JSON.parse(await said('images', '--json'))[0].names, ['localhost/web:latest', 'localhost/web:2'])
  assert.equal(await said('containers', '--format', '{{.ContainerName}} {{.ImageName}}'), 'c scratch')
  assert.equal(
    await said('inspect', '--format', '{{.OCIv1.Config.Cmd}} {{.FromImage}}', 'web'),
    '[x] localhost/web:latest',
  )
})

refuses([
  [['images', '--filter', 'foo=bar'], /"foo=bar": it is not a filter of this verb; write one of dangling=/],
  [['images', '--filter', 'since=gone'], /images --filter gone: no such image/],
  [['images', '--format', '{{.Nope}}'], /there is no field \.Nope; did you mean \.Name\?/],
  [['images', 'gone'], /^builder: images gone: there is no such image/],
  [['containers', '--filter', 'x=y'], /it is not a filter of this verb/],
  [['containers', 'x'], /it takes no arguments/],
  [['inspect', 'gone'], /^builder: inspect gone: no container or image has this name/],
  [['inspect', '--type', 'container', 'web'], /^builder: inspect web: there is no such container/],
  [['inspect', '--type', 'x', 'web'], /"x" is not one of container, image/],
  [['inspect', '--format', '{{.Nope}}', 'web'], /there is no field \.Nope; did you mean \.Type\?/],
  [['inspect', '--format', '{{', 'web'], /\{\{ is not closed/],
])

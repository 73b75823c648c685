import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, tempDir } from '../lane.js'
import { without } from './labelled.js'

test('labels install, run, stop and remove a container, all of it by builder', async (t) => {
  const store = tempDir(t)
  const say = async (...words: readonly string[]) => {
    const ran = await builder(words, { store, env: without(store) })
    assert.equal(ran.code, 0, `${words.join(' ')}: ${ran.stderr}`)
    return ran.stdout.trim()
  }
  await say('from', '--name', 'c', 'scratch')
  await say('copy', '-q', '--closure', 'c', '/usr/bin/sh', '/usr/bin/sleep')
  const labels = {
    INSTALL: 'podman run --rm --net=none -e "WHO=$NAME" IMAGE sh -c \'echo "install $WHO: $1"\' sh "$OPT1"',
    // A first process that has no handler does not obey SIGTERM.
    RUN: 'podman run -d --net=none --name NAME IMAGE sh -c \'trap "exit 0" TERM; sleep 1000 & wait\'',
    STOP: 'podman stop -t 1 NAME',
    UNINSTALL: 'podman rm NAME',
  }
  const flags = Object.entries(labels).flatMap(([name, text]) => ['--label', `${name}=${text}`])
  await say('config', ...flags, 'c')
  await say('commit', '--rm', 'c', 'service')
  const label = (name: string, ...more: readonly string[]) =>
    say('runlabel', '--yes', '--name', 'web', ...more, name, 'service')
  assert.equal(await label('install', '--opt1', 'a "b" c'), 'install web: a "b" c')
  const id = await label('run')
  assert.match(id, /^[0-9a-f]{64}$/)
  assert.match(await say('containers', '--format', '{{.ContainerName}}'), /^web$/m)
  assert.equal(await label('run', '--replace').then((other) => other !== id), true)
  await label('stop')
  await label('uninstall')
  assert.equal(await say('containers', '-q'), '')
})

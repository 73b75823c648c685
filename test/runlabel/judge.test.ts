import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it, test } from 'node:test'
import { splitWords } from '../../sdk/image/words.js'
import { readEngineLine } from '../../sdk/runlabel/engine-line.js'
import { askForPath } from '../../sdk/runlabel/host-path.js'
import { judge } from '../../sdk/runlabel/judge.js'
import { onOneLine, pasteable, visible } from '../../sdk/runlabel/show.js'
import { command, tempDir } from '../lane.js'

/** Flags of a run line, and what they ask for: the kind and the object, and a part of the words that a user reads. */
const asked: readonly (readonly [flags: string, asks: readonly string[], text?: RegExp])[] = [
  ['--rm -it --name x', []],
  ['--net=host', ['host-network'], /the network of this machine/],
  [
    '--network host --ipc=host --pid=host --uts=host --userns=host',
    ['host-network', 'host-ipc', 'host-pid', 'host-uts', 'host-user'],
    /the processes of this machine/,
  ],
  ['--net=none --ipc=private', []],
  ['--privileged', ['privileged'], /all privileges: every capability, every device/],
  ['--privileged=false', []],
  ['-v /:/host', ['host-root:write'], /all files of this machine: read and write \//],
  ['-v /:/host:ro', ['host-root:read'], /all files of this machine: read \//],
  ['-v /srv/../:/host:ro', ['host-root:read'], /read \//],
  ['-v /proc/self/root:/host', ['host-root:write'], /\(named \/proc\/self\/root\)/],
  ['-v /sys:/sys:ro', ['host-path-read:/sys'], /read \/sys, where the kernel shows and takes settings of devices/],
  ['-v /dev:/dev', ['host-path-write:/dev'], /the devices of this machine/],
  ['-v /etc/no-such-file:/x', ['host-path-write:/etc/no-such-file'], /where this machine is configured/],
  ['-v /nowhere/data:/data:ro', ['host-path-read:/nowhere/data']],
  ['-v /nowhere/data:/data:ro,z', ['host-path-write:/nowhere/data']],
  ['-v /nowhere/data:/data:ro,U', ['host-path-write:/nowhere/data']],
  ['-v ./data:/data', ['host-path-write:/nowhere/here/data']],
  ['-v data:/data -v /data', []],
  [
    '-v /nowhere/docker.sock:/s:ro',
    ['socket:/nowhere/docker.sock'],
    /command docker through its socket .* all that docker may do on this machine/,
  ],
  [
    '--device /dev/no-fuse:/dev/x:rw --device=/dev/no-kvm',
    ['device:/dev/no-fuse', 'device:/dev/no-kvm'],
    /the device \/dev\/no-fuse/,
  ],
  [
    '--cap-add net_admin --cap-add CAP_SYS_PTRACE --cap-add=ALL',
    ['capability:NET_ADMIN', 'capability:SYS_PTRACE', 'capability:ALL'],
  ],
  ['--cap-drop ALL --read-only --tmpfs /tmp --add-host a:1.2.3.4 -h x -u 0 -w / -e A=b --label a=b', []],
  [
    '--security-opt seccomp=unconfined --security-opt label=disable',
    ['security-option:seccomp=unconfined', 'security-option:label=disable'],
    /less protection/,
  ],
  ['--security-opt no-new-privileges', []],
  ['--env-file envs -e TOKEN', ['env-file:/nowhere/here/envs', 'caller-env:TOKEN'], /your variable TOKEN/],
  ['--name x --replace', ['replace:x'], /remove the container that has the name x/],
  ['-p 80:8080', ['port:80:8080'], /a port of this machine: 80:8080/],
  [
    '--mount type=bind,src=/,dst=/x',
    ['engine-flag:--mount=type=bind,src=/,dst=/x'],
    /which builder passes on and does not judge; see the manual of podman run/,
  ],
  [
    '--pid=container:x --init --volumes-from y',
    ['engine-flag:--pid=container:x', 'engine-flag:--init=true', 'engine-flag:--volumes-from=y'],
  ],
]

describe('what a run line asks for', () => {
  for (const [flags, asks, text] of asked)
    it(flags, () => {
      const { line, others } = readEngineLine(['podman', 'run', ...splitWords(flags), 'web'])
      const found = judge(
        { kind: 'run', engine: 'podman', options: line.options, others },
        { isRoot: false, cwd: '/nowhere/here' },
      )
      assert.deepEqual(
        found.map(({ kind, object }) => (object === undefined ? kind : `${kind}:${object}`)),
        asks,
      )
      if (text) assert.match(found.map((one) => one.text).join('\n'), text)
    })

  it('root, a program, a command of the engine and another image are told', () => {
    const place = { isRoot: true, cwd: '/' }
    const texts = [
      judge({ kind: 'program', program: '/usr/bin/id' }, place),
      judge({ kind: 'engine-command', engine: 'podman', words: ['rm', 'x'] }, place),
      judge({ kind: 'engine-command', engine: 'docker', words: ['exec', 'x'] }, { ...place, isRoot: false }),
      judge({ kind: 'run', engine: 'builder', options: { spc: true }, others: [], otherImage: 'x' }, place),
    ].map((asks) => asks.map(({ text }) => text))
    assert.deepEqual(texts.slice(0, 3), [
      ['be executed by root of this machine', 'a program on the host, in no container: /usr/bin/id'],
      ['be executed by root of this machine', 'the command rm of podman'],
      [
        "be executed by docker's daemon, which is root of this machine as a rule",
        'the command exec of docker, which may do all that docker can',
      ],
    ])
    assert.deepEqual(texts[3]?.slice(0, 4), [
      'be executed by root of this machine',
      'run another image than the one whose label it is: x',
      'all privileges: every capability, every device, no filter of system calls',
      'all files of this machine: read and write / at /host',
    ])
  })

  it('a link is told with what it leads to, and a socket by what it is', async (t) => {
    const place = tempDir(t)
    mkdirSync(join(place, 'data'))
    symlinkSync('/', join(place, 'link'))
    symlinkSync(join(place, 'data'), join(place, 'own'))
    assert.equal(askForPath(join(place, 'link'), 'read').kind, 'host-root')
    assert.equal(askForPath(join(place, 'link/etc'), 'read').object, '/etc')
    assert.equal(askForPath(join(place, 'own/new'), 'write').object, join(place, 'data/new'))
    const server = createServer().listen(join(place, 'control'))
    t.after(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    assert.equal(askForPath(join(place, 'control'), 'read').kind, 'socket')
  })
})

test('what a terminal would obey or hide is shown as an escape', () => {
  assert.equal(visible('a\x1b[2K\u009b\u202e\u200b\u2028b'), 'a\\x1b[2K\\u009b\\u202e\\u200b\\u2028b')
  assert.equal(onOneLine(['a\nb', "it's"]), "$'a\\x0ab' 'it'\\''s'")
})

test('what is displayed can be pasted into bash', async () => {
  const words = ['a b', "it's", '', '$HOME `x` \\', 'a\nb\t', "x\u202ey\u200b'\\", '#', '~', '*', 'grüße']
  const { stdout } = await command(['bash', '-c', `printf '%s\\0' ${pasteable(words)}`], { env: { LC_ALL: 'C.UTF-8' } })
  assert.deepEqual(stdout.split('\0').slice(0, -1), words)
})

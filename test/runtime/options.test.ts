import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capabilitiesFor, defaultCapabilities } from '../../sdk/runtime/capabilities.js'
import { parseDevice } from '../../sdk/runtime/device.js'
import { parseEnv } from '../../sdk/runtime/environment.js'
import { explainRunFailure } from '../../sdk/runtime/failure.js'
import { parseIsolation } from '../../sdk/runtime/isolation.js'
import { parseMount } from '../../sdk/runtime/mount-option.js'
import { parseLimit } from '../../sdk/runtime/resource-limit.js'
import { parseSecret } from '../../sdk/runtime/secret.js'
import { parseSecurityOptions } from '../../sdk/runtime/security-option.js'
import { parseSsh } from '../../sdk/runtime/ssh-source.js'
import { parseVolume } from '../../sdk/runtime/volume.js'

const bind = { type: 'bind', source: '/a', destination: '/b' }

const volumes: [text: string, expected: unknown][] = [
  ['/a:/b', { ...bind, readonly: false, recursive: true }],
  ['/a:/b:ro', { ...bind, readonly: true, recursive: true }],
  ['/a/../a:/b/:ro,Z,nodev,bind', { ...bind, readonly: true, recursive: false, flags: ['nodev'] }],
  ['/a:/b:noexec,exec', { ...bind, readonly: false, recursive: true }],
]
for (const [text, expected] of volumes)
  test(`reads volume ${text}`, () => assert.deepEqual(parseVolume(text), expected))

const mounts: [text: string, expected: unknown][] = [
  ['type=bind,src=/a,dst=/b', { ...bind, readonly: true }],
  ['type=bind,source=a,target=/b,rw', { ...bind, source: 'a', readonly: false }],
  ['src=/a,destination=/b,readonly=false', { ...bind, readonly: false }],
  ['type=bind,from=base,dst=/b', { type: 'bind', from: 'base', destination: '/b', readonly: true }],
  ['type=tmpfs,dst=/b,size=64m,mode=755', { type: 'tmpfs', destination: '/b', size: 67108864, mode: 0o755 }],
  ['type=tmpfs,target=/b,tmpfs-size=1g,ro', { type: 'tmpfs', destination: '/b', size: 2 ** 30, readonly: true }],
  ['type=cache,dst=/b,id=x,sharing=locked', { type: 'cache', destination: '/b', id: 'x', sharing: 'locked' }],
  ['type=secret,id=x', { type: 'secret', id: 'x', required: false }],
  [
    'type=secret,dst=/a/x,required,mode=440',
    { type: 'secret', id: 'x', destination: '/a/x', required: true, mode: 0o440 },
  ],
  ['type=secret,src=x,env=X', { type: 'secret', id: 'x', env: 'X', required: false }],
  ['type=ssh', { type: 'ssh', id: 'default', required: false }],
  ['type=ssh,id=a,target=s,uid=5', { type: 'ssh', id: 'a', destination: 's', required: false, uid: 5 }],
  ['"src=/a,1",dst=/b', { type: 'bind', source: '/a,1', destination: '/b', readonly: true }],
  ['type=cache,dst=/b,uid=5,gid=6,mode=0700', { type: 'cache', destination: '/b', mode: 0o700, uid: 5, gid: 6 }],
]
for (const [text, expected] of mounts) test(`reads mount ${text}`, () => assert.deepEqual(parseMount(text), expected))

const refused: [what: string, read: () => unknown, code: string, message?: RegExp][] = [
  ['a volume of one part', () => parseVolume('/a'), 'USAGE'],
  ['a named volume', () => parseVolume('data:/b'), 'USAGE', /named volumes/],
  ['a volume over the root', () => parseVolume('/a:/'), 'USAGE'],
  ['a relative destination', () => parseVolume('/a:b'), 'USAGE'],
  ['a mistyped volume option', () => parseVolume('/a:/b:noexce'), 'USAGE', /did you mean noexec\?/],
  ['an overlay volume', () => parseVolume('/a:/b:O'), 'UNSUPPORTED'],
  ['a volume that changes owners', () => parseVolume('/a:/b:U'), 'UNSUPPORTED'],
  ['a mistyped mount key', () => parseMount('type=bind,sorce=/a,dst=/b'), 'USAGE', /did you mean source\?/],
  ['a mistyped mount type', () => parseMount('type=tmpf,dst=/b'), 'USAGE', /did you mean tmpfs\?/],
  ['a mount without a destination', () => parseMount('type=tmpfs'), 'USAGE', /dst=/],
  ['a mount key given twice', () => parseMount('type=tmpfs,dst=/a,dst=/b'), 'USAGE'],
  ['a size of another form', () => parseMount('type=tmpfs,dst=/a,size=big'), 'USAGE'],
  ['an unknown sharing', () => parseMount('type=cache,dst=/a,sharing=none'), 'USAGE'],
  ['a key of another type', () => parseMount('type=bind,src=/a,dst=/b,size=5'), 'USAGE'],
  ['a secret without an id', () => parseMount('type=secret,env=X'), 'USAGE', /id is missing/],
  [
    'a secret that is required somehow',
    () => parseMount('type=secret,id=x,required=very'),
    'USAGE',
    /neither true nor/,
  ],
  ['a quotation mark alone', () => parseMount('type=tmpfs,"dst=/a'), 'USAGE', /quotation mark/],
  ['a secret of no id', () => parseSecret('src=/x'), 'USAGE', /id is missing/],
  ['a secret with a path for an id', () => parseSecret('id=a/b,src=/x'), 'USAGE', /holds a slash/],
  ['a secret with an unknown option', () => parseSecret('id=a,sorce=/x'), 'USAGE', /no option "sorce"/],
  ['an agent without an id', () => parseSsh('=/x'), 'USAGE', /it has no id/],
  ['an agent that is not there', () => parseSsh('a=/nowhere/x'), 'NOT_FOUND', /there is no \/nowhere\/x/],
  ['a limit with a soft one above it', () => parseLimit('nofile=5:4'), 'USAGE', /larger than the hard/],
  ['a mistyped capability', () => capabilitiesFor(0, ['net_admn']), 'USAGE', /did you mean CAP_NET_ADMIN\?/],
  ['a capability added and dropped', () => capabilitiesFor(0, ['chown'], ['CAP_CHOWN']), 'USAGE'],
  ['a device that is none', () => parseDevice('/etc/passwd'), 'USAGE'],
  ['a device that is not there', () => parseDevice('/dev/none-such'), 'NOT_FOUND'],
  ['a device with fewer permissions', () => parseDevice('/dev/null:r'), 'UNSUPPORTED'],
  ['a mistyped isolation', () => parseIsolation('chrot'), 'USAGE', /did you mean chroot\?/],
  ['a label', () => parseSecurityOptions(['label=type:x']), 'UNSUPPORTED'],
  ['an unknown security option', () => parseSecurityOptions(['secomp=x']), 'USAGE', /did you mean seccomp\?/],
  ['a variable without a name', () => parseEnv(['=x']), 'USAGE'],
]
for (const [what, read, code, message = /./] of refused)
  test(`refuses ${what}`, () => assert.throws(read, { code, message }))

const isolations: [text: string, expected: string | undefined][] = [
  ['oci', 'oci'],
  ['rootless', 'oci'],
  ['chroot', 'chroot'],
  ['default', undefined],
]
for (const [text, expected] of isolations)
  test(`reads isolation ${text}`, () => assert.equal(parseIsolation(text), expected))

test('reads variables, taking values of the host where there is none', () => {
  assert.deepEqual(parseEnv(['A=1', 'B=', 'C', 'D'], { C: 'c' }), { A: '1', B: '', C: 'c' })
})

const secrets: [text: string, expected: unknown][] = [
  ['id=x,src=/a', { id: 'x', type: 'file', path: '/a' }],
  ['id=x,source=/a,type=file', { id: 'x', type: 'file', path: '/a' }],
  ['id=x,env=E', { id: 'x', type: 'env', name: 'E' }],
  ['id=E', { id: 'E', type: 'env', name: 'E' }],
  ['id=F', { id: 'F', type: 'file', path: 'F' }],
  ['type=env,id=x,src=E', { id: 'x', type: 'env', name: 'E' }],
]
for (const [text, expected] of secrets)
  test(`reads secret ${text}`, () => assert.deepEqual(parseSecret(text, { E: 'e' }), expected))

test('reads limits', () => {
  assert.deepEqual(parseLimit('nofile=5:6'), { type: 'RLIMIT_NOFILE', soft: 5, hard: 6 })
  assert.deepEqual(parseLimit('core=0'), { type: 'RLIMIT_CORE', soft: 0, hard: 0 })
})

test('reads security options', () => {
  const expected = { seccomp: 'unconfined', noNewPrivileges: true }
  assert.deepEqual(parseSecurityOptions(['seccomp=unconfined', 'no-new-privileges', 'label=disable']), expected)
})

test('gives capabilities as podman does', () => {
  const all = capabilitiesFor(0, ['ALL']).bounding
  const root = capabilitiesFor(0)
  assert.deepEqual([...root.effective].sort(), [...defaultCapabilities].sort())
  assert.deepEqual(capabilitiesFor(0, [], ['all']).bounding, [])
  assert.deepEqual(capabilitiesFor(0, ['kill'], ['ALL']).effective, ['CAP_KILL'])
  assert.deepEqual(
    capabilitiesFor(0, ['ALL'], ['kill']).bounding,
    all.filter((name) => name !== 'CAP_KILL'),
  )
  assert.deepEqual(capabilitiesFor(1000).permitted, [])
  assert.deepEqual(capabilitiesFor(1000, ['NET_RAW']).ambient, ['CAP_NET_RAW'])
})

const failures: [stderr: string, exitCode: number, expected: number | undefined][] = [
  ['executable file `x` not found in $PATH: No such file or directory', 1, 127],
  ['runc run failed: unable to start container process: exec: "x": executable file not found in $PATH', 1, 127],
  ['unshare: failed to execute x: No such file or directory', 127, 127],
  ['open executable: Permission denied', 1, 126],
  ['unshare: failed to execute /etc: Permission denied', 126, 126],
  ['mount `proc` to `proc`: Operation not permitted', 1, 125],
  ['cat: x: No such file or directory', 1, undefined],
  ['', 1, undefined],
  ['open executable: Permission denied', 3, undefined],
]
for (const [stderr, exitCode, expected] of failures)
  test(`explains ${exitCode} ${stderr}`, () => assert.equal(explainRunFailure(stderr, exitCode)?.exitCode, expected))

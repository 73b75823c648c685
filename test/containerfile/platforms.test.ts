import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkRunnable, platformsOf } from '../../sdk/containerfile/platforms.js'
import { formatPlatform, hostPlatform, parsePlatform } from '../../sdk/image/platform.js'
import { tempDir } from '../lane.js'

const host = formatPlatform(hostPlatform())
for (const [asked, platforms] of [
  [undefined, [host]],
  [[], [host]],
  [['linux/amd64,linux/arm64'], ['linux/amd64', 'linux/arm64']],
  [
    ['linux/arm/v7', 'linux/s390x, linux/arm/v7'],
    ['linux/arm/v7', 'linux/s390x'],
  ],
  [['local'], [host]],
  [['x86_64'], ['linux/amd64']],
] as const)
  test(`--platform ${asked?.join(' --platform ')} means ${platforms}`, () =>
    assert.deepEqual(platformsOf(asked).map(formatPlatform), platforms))

test('refuses a platform that is none', () =>
  assert.throws(() => platformsOf(['linux/amd64,']), {
    code: 'USAGE',
    message: /read platform "": it is not os\/arch/,
  }))

// As qemu-user-static registers them.
const folder = tempDir({ after })
const foreign = hostPlatform().architecture === 's390x' ? 'riscv64' : 's390x'
const machine = foreign === 's390x' ? '0016' : 'f300'
const [order, bits] = foreign === 's390x' ? ['02', '02'] : ['01', '02']
const magic = `7f454c46${bits}${order}01000000000000000000${foreign === 's390x' ? '0002' : '0200'}${machine}`
const mask = 'ffffffffffffff00fffffffffffffffffffeffff'

function binfmt(name: string, entry: string): string {
  const place = join(folder, name)
  mkdirSync(place)
  for (const own of ['register', 'status']) writeFileSync(join(place, own), 'enabled\n')
  writeFileSync(join(place, 'qemu'), entry)
  return place
}

const entry = (flags: string, state = 'enabled') =>
  `${state}\ninterpreter /usr/bin/qemu-static\nflags: ${flags}\noffset 0\nmagic ${magic}\nmask ${mask}\n`

test('this machine’s own programs run', () => checkRunnable(hostPlatform(), join(folder, 'none')))

test('another’s run where an interpreter is open', () =>
  checkRunnable(parsePlatform(`linux/${foreign}`), binfmt('open', entry('OCF'))))

for (const [title, place, says] of [
  [
    'binfmt_misc is not there',
    () => join(folder, 'none'),
    /^RUN for linux\/\w+: this machine, \w+, has nothing that runs its programs; install qemu-user-static and binfmt-support on this machine, or leave RUN out of what is built for it$/,
  ],
  [
    'the interpreter is switched off',
    () => binfmt('off', entry('F', 'disabled')),
    /has nothing that runs its programs/,
  ],
  [
    'it is for another one',
    () => binfmt('other', entry('F').replace(machine, 'beef')),
    /has nothing that runs its programs/,
  ],
  [
    'the interpreter would have to be in the container',
    () => binfmt('closed', entry('OC')),
    /this machine runs its programs with \/usr\/bin\/qemu-static, which a container does not have; register it with the flag F/,
  ],
] as const)
  test(`says what to install when ${title}`, () =>
    assert.throws(() => checkRunnable(parsePlatform(`linux/${foreign}`), place()), {
      code: 'UNSUPPORTED',
      message: says,
    }))

test('another system’s programs never run', () =>
  assert.throws(() => checkRunnable(parsePlatform('windows/amd64')), { message: /this is not a machine of windows/ }))

import assert from 'node:assert/strict'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { builder, command, lane, needs, type Ran, tempDir, top } from '../lane.js'

const epoch = '1700000000'
let folder = ''
let first = ''

before(async (t) => {
  folder = tempDir(t as TestContext)
  first = idOf(await shell())
})

test('the shell recipe prints the ID of an image that says hello', async () => {
  const c = (await own(['from', first])).stdout.trim()
  const { stdout, code } = await own(['run', c])
  await own(['rm', c])
  assert.deepEqual([stdout, code], ['hello from a container\n', 0])
})

test('it is called hello', async () => {
  assert.equal((await own(['inspect', '--type', 'image', '-f', '{{.FromImageID}}', 'hello'])).stdout.trim(), first)
})

test('in a session it is the same image', async () => {
  for (const words of [
    ['recipe', 'hello.sh'],
    ['unshare', 'sh', 'hello.sh'],
  ]) {
    const made = await command([join(top, 'bin/builder'), ...words], {
      cwd: join(top, 'recipes/hello'),
      env: environment({}),
    })
    assert.equal(idOf(made), first, words.join(' '))
  }
})

test('its command and environment are the recipe’s', async () => {
  const format = '{{.OCIv1.Config.Cmd}} {{.OCIv1.Config.Env}} {{.OCIv1.Config.Labels}}'
  const { stdout } = await own(['inspect', '--type', 'image', '-f', format, first])
  assert.equal(stdout, '[env cat /srv/greeting.txt] [GREETING=hello] map[org.opencontainers.image.title:hello]\n')
})

test('a recipe leaves no container behind', async () => {
  assert.equal((await own(['containers', '-q'])).stdout, '')
})

test('a recipe that fails leaves no container behind', async () => {
  const copy = recipeIn(join(folder, 'broken'))
  renameSync(join(copy, 'site'), join(copy, 'elsewhere'))
  const { code, stderr } = await shell({}, copy)
  assert.equal(code, 125)
  assert.match(stderr, /^builder: copy \S*\/site\/: no such file or folder/m)
  assert.equal((await own(['containers', '-q'])).stdout, '')
})

test('without SOURCE_DATE_EPOCH the image has the present time, and another ID', async () => {
  const made = await shell({ SOURCE_DATE_EPOCH: undefined })
  assert.notEqual(idOf(made), first)
})

const sameFromShell: Readonly<Record<string, Variation>> = {
  again: {},
  'under umask 000, in another time zone': { umask: '000', env: { TZ: 'Asia/Kathmandu' } },
  'under umask 077, in another locale': { umask: '077', env: { LANG: 'C', LC_ALL: 'POSIX' } },
  'with a store, a home and a user name of its own': {
    store: 'other',
    env: { HOME: '/', USER: 'somebody', LOGNAME: 'somebody' },
  },
  'in a folder with blanks, with old file times': { checkout: 'a checkout elsewhere', mtime: 86400 },
  'with new file times and other modes': { checkout: 'new', mtime: 4000000000, mode: 0o666 },
}

for (const [title, variation] of Object.entries(sameFromShell)) {
  test(`the shell recipe gives the same image ${title}`, async () => {
    assert.equal(idOf(await vary(variation, ['sh', 'hello.sh'])), first)
  })
}

const sameFromTypeScript: Readonly<Record<string, Variation>> = {
  'from source': {},
  'under umask 000': { umask: '000' },
  'under umask 077': { umask: '077' },
  'in another time zone and locale': { env: { TZ: 'America/Lima', LANG: 'C' } },
  'as an installed package, elsewhere, with other times and modes': { checkout: 'installed', mtime: 1e9, mode: 0o600 },
}

for (const [title, variation] of Object.entries(sameFromTypeScript)) {
  test(`the TypeScript recipe gives the same image ${title}`, async () => {
    assert.equal(idOf(await vary(variation, [join(top, 'node_modules/.bin/tsx'), 'hello.ts'])), first)
  })
}

test('the Containerfile gives the same image, with an include and a macro', async () => {
  const tools = 'tools=closure:/usr/bin/env,/usr/bin/cat'
  const words = ['builder', 'build', '-q', '--layers=false', '--build-context', tools, '.']
  for (const umask of ['022', '077']) {
    const made = await vary({ checkout: `containerfile ${umask}`, mtime: 4000000000, mode: 0o640, umask }, words)
    assert.equal(idOf(made), first)
  }
})

test('both recipes give the same image on another host', async (t) => {
  if (lane() !== 'root') return t.skip('only root can name the machine')
  for (const recipe of ['sh hello.sh', `${join(top, 'node_modules/.bin/tsx')} hello.ts`]) {
    const renamed = ['unshare', '-u', 'sh', '-c', `echo elsewhere >/proc/sys/kernel/hostname && exec ${recipe}`]
    assert.equal(idOf(await vary({}, renamed)), first)
  }
})

test('a plain user gets the same image as root', async (t) => {
  if (lane() !== 'root' || !needs(t, 'setpriv', 'newuidmap')) return t.skip('the other lane is a plain user')
  const user = userWithRanges()
  if (!user) return t.skip('nobody has subordinate ids')
  const { name, uid, gid } = user
  const home = tempDir(t)
  for (const part of ['bin', 'dist', 'sdk', 'recipes', 'package.json', 'tsconfig.json', 'node_modules'])
    cpSync(join(top, part), join(home, 'project', part), { recursive: true, verbatimSymlinks: true })
  await command(['chown', '-R', `${uid}:${gid}`, home])
  const as = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', 'env', '-i', `HOME=${home}`]
  const env = [`USER=${name}`, `TMPDIR=${home}`, `SOURCE_DATE_EPOCH=${epoch}`, `BUILDER_RUNROOT=${home}/run`]
  const path = `PATH=${home}/project/bin:${process.env.PATH}`
  const cwd = join(home, 'project/recipes/hello')
  for (const recipe of [
    ['sh', 'hello.sh'],
    [join(home, 'project/node_modules/.bin/tsx'), 'hello.ts'],
  ])
    assert.equal(idOf(await command([...as, ...env, path, ...recipe], { cwd })), first)
})

test('the shell recipe is clean under shellcheck', async (t) => {
  if (!needs(t, 'shellcheck')) return
  assert.equal((await command(['shellcheck', join(top, 'recipes/hello/hello.sh')])).stdout, '')
})

/** The user that the plain lanes run as. */
function userWithRanges() {
  const wanted = process.env.BUILDER_TEST_USER ?? 'builder-test'
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${wanted}:`))
  const [name = '', , uid = '', gid = ''] = line?.split(':') ?? []
  return name === '' ? undefined : { name, uid, gid }
}

interface Variation {
  readonly umask?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly store?: string
  /** A copy of the recipe in a folder of this name. */
  readonly checkout?: string
  readonly mtime?: number
  readonly mode?: number
}

async function vary({ umask = '022', env = {}, store, checkout, mtime, mode }: Variation, argv: readonly string[]) {
  const cwd = checkout === undefined ? join(top, 'recipes/hello') : recipeIn(join(folder, checkout))
  for (const file of checkout === undefined ? [] : filesOf(cwd)) {
    if (mode !== undefined) chmodSync(file, statSync(file).isDirectory() ? mode | 0o100 : mode)
    if (mtime !== undefined) utimesSync(file, mtime, mtime)
  }
  const words = ['sh', '-c', `umask ${umask} && exec "$@"`, 'sh', ...argv]
  return command(words, { cwd, env: environment(env, store) })
}

function shell(env: Variation['env'] = {}, cwd = join(top, 'recipes/hello')): Promise<Ran> {
  return command(['sh', 'hello.sh'], { cwd, env: environment(env) })
}

function own(args: readonly string[]): Promise<Ran> {
  return builder(args, { store: join(folder, 'store') })
}

function environment(env: Variation['env'], store = 'store') {
  return {
    PATH: `${join(top, 'bin')}:${process.env.PATH}`,
    SOURCE_DATE_EPOCH: epoch,
    BUILDER_ROOT: join(folder, store, 'root'),
    BUILDER_RUNROOT: join(folder, store, 'run'),
    ...env,
  }
}

/** A copy of the recipe in a package of its own, where builder-sdk is installed as npm would, by a link. */
function recipeIn(place: string): string {
  if (existsSync(place)) return join(place, 'hello')
  cpSync(join(top, 'recipes/hello'), join(place, 'hello'), { recursive: true })
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }')
  mkdirSync(join(place, 'node_modules'))
  symlinkSync(top, join(place, 'node_modules/builder-sdk'))
  return join(place, 'hello')
}

function filesOf(path: string): string[] {
  const names = readdirSync(path, { recursive: true }) as string[]
  return [...names.map((name) => join(path, name)), path].reverse()
}

function idOf({ stdout, stderr, code }: Ran): string {
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^[0-9a-f]{64}\n$/)
  return stdout.trim()
}

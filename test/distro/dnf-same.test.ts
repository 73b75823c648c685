import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { command, lane, needs, type Ran, tempDir, top } from '../lane.js'
import { newDnfScene, unsigned } from './dnf-scene.js'
import { copyOf, rpmEpoch, rpmRepository } from './rpm-repository.js'

const repository = await rpmRepository()
const scene = newDnfScene()
const names = ['httpd', 'httpd-tools', 'setuid-program']
let golden = ''

/** A container with the packages becomes an image; prints its ID. */
const recipe = `
c=$(builder from scratch) && builder dnf "$c" install "$@" >&2 && builder commit -q --rm "$c"
`

before(async () => {
  golden = idOf(await build([...unsigned(repository.url), ...names]))
})

test('rpm itself finds all packages in the image, and every file as its package has it', async () => {
  const c = await scene.from(golden)
  const script = 'cd "$(builder mount "$0")" && rpm --root "$PWD" --dbpath /usr/lib/sysimage/rpm "$@"'
  const rpm = async (...words: readonly string[]) => {
    const { stdout, stderr, code } = await scene.run(['unshare', 'sh', '-c', script, c, ...words])
    assert.equal(code, 0, `${stderr}${stdout}`)
    return stdout
  }
  const all = ['busybox-1.35-1', 'filesystem-3.18-1', 'httpd-2.4.1-1', 'httpd-tools-2.4.1-1', 'setuid-program-1-1']
  assert.deepEqual((await rpm('-qa', '--qf', '%{NVR}\\n')).trim().split('\n').sort(), all)
  assert.equal(await rpm('-Va'), '')
})

test('its program runs, with what the scriptlets made', async () => {
  const c = await scene.from(golden)
  const script = `/usr/sbin/httpd & until wget -qO- http://127.0.0.1/; do sleep 0.1; done
    cat /var/lib/httpd/configured /etc/made-by-lua; grep apache /etc/passwd; stat -c %a:%U /usr/sbin/suexec /var/lib/httpd`
  assert.equal(
    await scene.ok(['run', '--network', 'none', c, '--', 'sh', '-c', script]),
    'edition 1\nconfigured, 1 of it installed\nposttrans\napache:x:48:48:Apache:/usr/share/httpd:/sbin/nologin\n510:root\n755:apache',
  )
})

test('nothing of dnf is in it, and a root that cannot be written has a database that can be read', async () => {
  const c = await scene.from(golden)
  const script = 'find / -xdev | grep -E "dnf|yum|\\.lock|sqlite-|/var/cache/.|/var/log/.*log|/dev/." || true'
  assert.equal(await scene.ok(['run', c, '--', 'sh', '-c', script]), '')
})

test('another day, umask, time zone, locale, home, folder and order of arguments give the same image', async (t) => {
  const other = { ...surroundings(join(tempDir(t), 'a store elsewhere')), TZ: 'Asia/Kathmandu', LC_ALL: 'de_DE.UTF-8' }
  const elsewhere = await copyOf(repository, join(tempDir(t), 'another place'))
  const words = [...[...names].reverse(), ...unsigned(elsewhere.url)]
  assert.equal(idOf(await build(words, { ...other, HOME: '/', USER: 'somebody' }, 'umask 077; cd /')), golden)
})

test('four at once on one cache give the same image', async () => {
  const made = await Promise.all([1, 2, 3, 4].map(() => build([...unsigned(repository.url), ...names])))
  assert.deepEqual(made.map(idOf), Array(4).fill(golden))
})

test('a plain user on a machine of another name gets the same image as root', async (t) => {
  if (lane() !== 'root' || !needs(t, 'setpriv', 'newuidmap')) return t.skip('the other lane is a plain user')
  const [name = '', , uid = '', gid = ''] = lineOf('/etc/passwd', process.env.BUILDER_TEST_USER ?? 'builder-test')
  const home = tempDir(t)
  mkdirSync(join(home, 'run'))
  for (const part of ['bin', 'dist/bin', 'dist/cli', 'package.json', 'node_modules/koffi', 'node_modules/@koromix'])
    cpSync(join(top, part), join(home, part), { recursive: true, verbatimSymlinks: true })
  cpSync(process.execPath, join(home, 'node'))
  cpSync(repository.folder, join(home, 'repository'), { recursive: true })
  await command(['chown', '-R', `${uid}:${gid}`, home])
  const environment = {
    ...surroundings(join(home, 'store')),
    HOME: home,
    USER: name,
    PATH: `${home}/bin:${home}:${process.env.PATH}`,
  }
  const as = ['unshare', '-u', 'sh', '-c', 'hostname elsewhere; exec "$@"', 'sh']
  const user = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups']
  const words = [...unsigned(`file://${home}/repository`), ...names]
  assert.equal(idOf(await build(words, environment, 'umask 027', [...as, ...user])), golden)
})

function build(
  words: readonly string[],
  env: Readonly<Record<string, string>> = surroundings(scene.folder),
  first = ':',
  through: readonly string[] = [],
): Promise<Ran> {
  return command([...through, 'sh', '-c', `${first}; ${recipe}`, 'sh', ...words], { env })
}

function surroundings(store: string) {
  return {
    PATH: `${join(top, 'bin')}:${process.env.PATH}`,
    BUILDER_ROOT: join(store, 'root'),
    BUILDER_RUNROOT: join(store, 'run'),
    SOURCE_DATE_EPOCH: String(rpmEpoch),
  }
}

function lineOf(file: string, name: string): readonly string[] {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`))
  return line?.split(':') ?? []
}

function idOf({ stdout, stderr, code }: Ran): string {
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^[0-9a-f]{64}\n$/)
  return stdout.trim()
}

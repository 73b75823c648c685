import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Container, type ContainerRunOptions, from } from '../../sdk/index.js'
import { builder, command, lane, tempDir, top } from '../lane.js'
import { inRoot, listing, places } from '../sdk/rooted.js'

const src = tempDir({ after })
const folder = join(src, 'folder')
const applets = 'sh cat echo env grep head id ls mkdir rm stat sha256sum touch true wc df ulimit'.split(' ')
const binary = Buffer.from([0, 1, 2, 255, 254, 10, 0, 13, 200, 27])
const key = `-----BEGIN KEY-----\n${'AbCdEf0123456789'.repeat(4)}\nzyxwvut\n-----END KEY-----\n`
let c: Container
let base: Container

before(async () => {
  for (const name of ['bin', 'place']) mkdirSync(join(src, 'root', name), { recursive: true, mode: 0o755 })
  const { stdout } = await command(['sh', '-c', 'command -v busybox'])
  copyFileSync(stdout.trim(), join(src, 'root/bin/busybox'))
  for (const name of applets) symlinkSync('busybox', join(src, 'root/bin', name))
  mkdirSync(folder, { mode: 0o755 })
  chmodSync(folder, 0o755)
  for (const [name, content] of [
    ['one', '1\n'],
    ['token', 'hunter2-hunter2\n'],
    ['binary', binary],
    ['key', key],
  ] as const)
    writeFileSync(join(folder, name), content)
  c = await from('scratch', places)
  await c.copy(join(src, 'root'), '/')
  base = await from('scratch', { ...places, name: 'base' })
  await inRoot(base, 'mkdir -p d/sub && echo deep >d/sub/f && chown 3:4 d/sub/f && ln -s /d/sub link')
})

const token = createHash('sha256').update('hunter2-hunter2\n').digest('hex')
const secret = [`id=token,src=${folder}/token`]

/** What a mount gives: options, a script, and what it prints. */
interface Row {
  readonly options: ContainerRunOptions
  readonly script: string
  readonly prints: string
}

const rows: Readonly<Record<string, Row>> = {
  'a bind is read-only': {
    options: { mount: [`type=bind,src=${folder},dst=/m`] },
    script: 'cat /m/one; touch /m/new 2>/dev/null || echo refused',
    prints: '1\nrefused\n',
  },
  'a writable bind keeps nothing': {
    options: { mount: [`type=bind,src=${folder},dst=/m,rw`] },
    script: 'echo 2 >>/m/one; rm /m/token; echo new >/m/new; cat /m/one /m/new; stat -c %a /m',
    prints: '1\n2\nnew\n755\n',
  },
  'a writable bind of a file keeps nothing': {
    options: { mount: [`type=bind,src=${folder}/one,dst=/m,rw`] },
    script: 'echo 2 >>/m; cat /m',
    prints: '1\n2\n',
  },
  'a bind from a container, through its link': {
    options: { mount: ['type=bind,from=base,src=/link,dst=/m,rw'] },
    script: 'cat /m/f; echo x >/m/f; cat /m/f',
    prints: 'deep\nx\n',
  },
  'a bind of the whole context': {
    options: { mount: ['type=bind,dst=/m'], contextdir: folder },
    script: 'cat /m/one',
    prints: '1\n',
  },
  'a bind relative to the working folder': {
    options: { mount: ['type=bind,src=one,dst=m/one'], contextdir: folder, workingdir: '/place' },
    script: 'cat /place/m/one',
    prints: '1\n',
  },
  'a bind with a comma in its name': {
    options: { mount: [`type=tmpfs,"dst=/a,b"`] },
    script: 'ls -d /a,b',
    prints: '/a,b\n',
  },
  'memory of a size': {
    options: { mount: ['type=tmpfs,dst=/m,size=1m'] },
    script: 'df -k /m | grep -c " 1024 "',
    prints: '1\n',
  },
  'a cache with what it starts with': {
    options: { mount: ['type=cache,dst=/m,id=seeded,from=base,source=/d,mode=0711'] },
    script: 'cat /m/sub/f; stat -c %a /m',
    prints: 'deep\n711\n',
  },
  'a cache of the same id that starts with nothing': {
    options: { mount: ['type=cache,dst=/m,id=seeded'] },
    script: 'ls /m',
    prints: '',
  },
  'a read-only cache': {
    options: { mount: ['type=cache,dst=/m,id=ro,ro'] },
    script: 'touch /m/x 2>/dev/null || echo refused',
    prints: 'refused\n',
  },
  'a secret as a file': {
    options: { secret, mount: ['type=secret,id=token'] },
    script:
      'sha256sum /run/secrets/token; stat -c "%a %u:%g" /run/secrets/token; grep -c " /run/secrets/token tmpfs ro" /proc/mounts',
    prints: `${token}  /run/secrets/token\n400 0:0\n1\n`,
  },
  'a secret elsewhere, with a mode': {
    options: { secret, mount: ['type=secret,id=token,dst=/x/y,mode=0444'] },
    script: 'stat -c %a /x/y',
    prints: '444\n',
  },
  'a secret whose id is the name of its place': {
    options: { secret, mount: ['type=secret,target=/x/token'] },
    script: 'sha256sum </x/token',
    prints: `${token}  -\n`,
  },
  'a secret of a variable': {
    options: { secret: ['id=MOUNTS_TEST_TOKEN'], mount: ['type=secret,id=MOUNTS_TEST_TOKEN'] },
    script: 'wc -c </run/secrets/MOUNTS_TEST_TOKEN',
    prints: '11\n',
  },
  'a secret as a variable': {
    options: { secret, mount: ['type=secret,id=token,env=TOKEN'], env: ['TOKEN=other'] },
    script: 'printf "%s" "$TOKEN" | sha256sum; ls /run 2>/dev/null; true',
    prints: `${token}  -\n`,
  },
  'a secret as both': {
    options: { secret, mount: ['type=secret,id=token,env=TOKEN,dst=/t'] },
    script: 'test "$(cat /t; echo .)" = "$TOKEN." && echo same',
    prints: 'same\n',
  },
  'a secret of several lines as a variable': {
    options: { secret: [`id=key,src=${folder}/key`], mount: ['type=secret,id=key,env=KEY'] },
    script: 'printf "%s" "$KEY" | sha256sum',
    prints: `${createHash('sha256').update(key).digest('hex')}  -\n`,
  },
  'a secret that is not text': {
    options: { secret: [`id=b,src=${folder}/binary`], mount: ['type=secret,id=b'] },
    script: 'sha256sum </run/secrets/b',
    prints: `${createHash('sha256').update(binary).digest('hex')}  -\n`,
  },
  'no secret that was not given': {
    options: { mount: ['type=secret,id=none', 'type=ssh'] },
    script: 'ls /run 2>/dev/null; echo "$SSH_AUTH_SOCK"',
    prints: '\n',
  },
  'a secret is taken out of what is printed': {
    options: { secret, mount: ['type=secret,id=token'] },
    script: 'cat /run/secrets/token; printf hunter2-; printf hunter2; echo " hunter2-hunter"',
    prints: '***\n*** hunter2-hunter\n',
  },
  'each line of a secret is taken out': {
    options: { secret: [`id=key,src=${folder}/key`], mount: ['type=secret,id=key'] },
    script: 'cat /run/secrets/key; echo "< zyxwvut >"',
    prints: '***\n< *** >\n',
  },
  'a host of its own': {
    options: { addHost: ['db:192.0.2.7'] },
    script: 'grep -c "^192.0.2.7.db$" /etc/hosts',
    prints: '1\n',
  },
  'name servers': {
    options: { dns: ['192.0.2.53'], dnsSearch: ['example.test'], dnsOption: ['ndots:3'] },
    script: 'grep -E "^(nameserver|search|options)" /etc/resolv.conf',
    prints: 'nameserver 192.0.2.53\nsearch example.test\noptions ndots:3\n',
  },
  'the size of shared memory': {
    options: { shmSize: '2m' },
    script: 'df -k /dev/shm | grep -c " 2048 "',
    prints: '1\n',
  },
  'a limit': { options: { ulimit: ['nofile=99:111'] }, script: 'ulimit -Sn; ulimit -Hn', prints: '99\n111\n' },
  'the default network': {
    options: { network: 'default' },
    script: 'grep -c : /proc/net/dev >/dev/null && echo there',
    prints: 'there\n',
  },
}

process.env.MOUNTS_TEST_TOKEN = 'of-variable'
for (const isolation of ['oci', 'chroot'] as const)
  for (const [title, { options, script, prints }] of Object.entries(rows))
    test(`${isolation}: ${title}`, async () => {
      const earlier = await state()
      const { stdout, stderr } = await c.run(['sh', '-c', script], { isolation, quiet: true, ...options })
      assert.deepEqual([stdout, stderr], [prints, ''])
      assert.deepEqual(await state(), earlier)
    })

/** What no run with mounts may change: the container, the sources, the run-time folder, and what is mounted. */
async function state() {
  const { stdout } = await command(['sh', '-c', 'cat /proc/self/mounts'])
  const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'))
  const mounted = stdout.split('\n').filter((line) => line.includes(places.root) || line.includes(places.runroot))
  return [await listing(c), await listing(base), sources, runs(), mounted]
}

function runs(): readonly string[] {
  const all = readdirSync(places.runroot, { recursive: true, encoding: 'utf8' })
  return all.filter((name) => /(^|\/)runs\//.test(name))
}

test('a cache is there the next time, and a private one is nobody else’s', async () => {
  const mount = (sharing: string) => [`type=cache,dst=/m,id=kept,sharing=${sharing}`]
  await c.run(['sh', '-c', 'echo 1 >/m/x'], { mount: mount('shared'), quiet: true })
  assert.equal((await c.run(['cat', '/m/x'], { mount: mount('locked'), quiet: true })).stdout, '1\n')
  const [one, two] = await Promise.all(
    ['a', 'b'].map((name) =>
      c.run(
        [
          'sh',
          '-c',
          `echo ${name} >/m/mine; until [ -e /both/a ] && [ -e /both/b ]; do touch /both/${name}; done; cat /m/mine`,
        ],
        {
          mount: [...mount('private'), 'type=cache,dst=/both,id=both'],
          quiet: true,
        },
      ),
    ),
  )
  assert.deepEqual([one?.stdout, two?.stdout], ['a\n', 'b\n'])
})

test('a failed command’s error holds no secret', async () => {
  const options = { secret, mount: ['type=secret,id=token'], quiet: true }
  const failed = c.run(['sh', '-c', ': hunter2-hunter2; cat /run/secrets/token >&2; exit 3'], options)
  const error = await failed.then(
    () => assert.fail('it did not fail'),
    (thrown: Error & { argv: readonly string[]; stderr: string }) => thrown,
  )
  assert.doesNotMatch(JSON.stringify({ ...error, message: error.message, stack: error.stack }), /hunter2/)
  assert.deepEqual([error.argv[2], error.stderr], [': ***; cat /run/secrets/token >&2; exit 3', '***\n'])
})

for (const isolation of ['oci', 'chroot'] as const)
  test(`${isolation}: a secret is on no disk and in no command line while the command runs`, async () => {
    const store = tempDir({ after })
    const options = [
      '--isolation',
      isolation,
      '--secret',
      secret[0] as string,
      '--mount',
      'type=secret,id=token,env=TOKEN,dst=/t',
    ]
    const at = ['--root', join(store, 'root'), '--runroot', join(store, 'run')]
    const name = (await builder(['from', 'scratch'], { store })).stdout.trim()
    await builder(['copy', '-q', name, join(src, 'root'), '/'], { store })
    // From where the file systems in memory are not to be seen: what is below them is the disk.
    const apart = lane() === 'root' ? 'unshare -m' : 'unshare -Ur'
    const search = `for m in $(grep -o "/[^ ]*/memory " /proc/self/mounts); do umount -l $m; done; grep -rsl "hunter2-hunter[2]" "${store}"; grep -sl "hunter2-hunter[2]" /proc/[0-9]*/cmdline; echo searched`
    const script = `mkfifo go done; exec 3<>go 4<>done; timeout 30 "$@" 'echo "$TOKEN" >/dev/null; echo up >/x/go; head -n1 /x/done' & 
      timeout 20 head -n1 <&3; ${apart} sh -c '${search.replaceAll("'", "'\\''")}'; echo end >done; exec 4>&-; wait $!; echo $?`
    const work = tempDir({ after })
    const words = [join(top, 'bin/builder'), ...at, 'run', ...options, '-v', `${work}:/x`, name, 'sh', '-c']
    const { stdout, stderr } = await command(['sh', '-c', script, 'sh', ...words], { cwd: work })
    assert.equal(stdout, 'up\nsearched\nend\n0\n', stderr)
  })

const refused: Readonly<Record<string, readonly [options: ContainerRunOptions, says: RegExp]>> = {
  'a required secret that was not given': [
    { mount: ['type=secret,id=x,required'] },
    /type=secret,id=x: the secret is required, and was not given; add --secret id=x,src=FILE/,
  ],
  'a required agent that was not given': [
    { mount: ['type=ssh,id=x,required=true'] },
    /type=ssh,id=x: the ssh agent is required, and was not given; add --ssh x/,
  ],
  'a secret without an id': [{ secret: ['src=/x'] }, /read secret "src=\/x": id is missing; write --secret id=NAME/],
  'a secret of an unknown type': [{ secret: ['id=x,type=vault'] }, /there is no type "vault"/],
  'a secret of two sources': [{ secret: ['id=x,src=/a,env=B'] }, /src and env are both given/],
  'a secret whose file is not there': [
    { secret: ['id=x,src=/nowhere/x'], mount: ['type=secret,id=x'] },
    /read secret x: there is no file \/nowhere\/x; check src=FILE/,
  ],
  'a secret whose variable is not set': [
    { secret: ['id=x,env=MOUNTS_TEST_NONE'], mount: ['type=secret,id=x'] },
    /read secret x: the variable MOUNTS_TEST_NONE is not set; export it/,
  ],
  'a secret that is too large': [
    { secret: ['id=x,src=/dev/null,type=file', `id=big,src=${src}/big`], mount: ['type=secret,id=big'] },
    /read secret big: it has more than 500 KiB/,
  ],
  'a variable that is not text': [
    { secret: [`id=b,src=${folder}/binary`], mount: ['type=secret,id=b,env=B'] },
    /set variable "B": the secret is not text.*leave env= out/,
  ],
  'no agent': [{ ssh: ['default'] }, /read ssh "default": SSH_AUTH_SOCK is not set: there is no agent; start one/],
  'an agent that is not there': [{ ssh: ['x=/nowhere/agent'] }, /there is no \/nowhere\/agent; name a socket/],
  'a bind from nowhere': [{ mount: ['type=bind,from=nowhere,dst=/m'] }, /run --mount nowhere: /],
  'a bind of what is not there': [
    { mount: ['type=bind,from=base,src=/no,dst=/m'] },
    /mount \/no of base: there is no such file/,
  ],
  'a cache of a source alone': [{ mount: ['type=cache,source=/d,dst=/m,id=y'] }, /source is of no use without from/],
  'a mount over the root': [{ mount: ['type=tmpfs,dst=.'] }, /nothing can be mounted over the root/],
  'rights that were not allowed': [
    { security: 'insecure' },
    /run --security insecure: it gives the command all rights.*add --allow security\.insecure/,
  ],
  'an unknown entitlement': [
    { allow: ['security.insecur'] },
    /there is no such entitlement; did you mean security\.insecure\?/,
  ],
  'a limit that is none': [{ ulimit: ['nofil=5'] }, /there is no limit "nofil"; did you mean nofile\?/],
  'a limit of another form': [{ ulimit: ['nofile'] }, /read limit "nofile": it is not NAME=SOFT\[:HARD\]/],
  'a size that is none': [{ shmSize: 'big' }, /run --shm-size big: it is not a size/],
  'a name server that is none': [{ dns: ['ns'] }, /set name server "ns": it is not an address/],
}
for (const [title, [options, says]] of Object.entries(refused))
  test(`refuses ${title}`, async () => {
    writeFileSync(join(src, 'big'), Buffer.alloc(600 * 1024))
    const before = runs()
    await assert.rejects(c.run(['true'], { quiet: true, ...options }), says)
    assert.deepEqual(runs(), before)
  })

test('--security insecure gives what builder itself has', async () => {
  const rights = (options: ContainerRunOptions) =>
    c.run(['sh', '-c', 'grep -E "^(CapEff|Seccomp):" /proc/self/status'], { quiet: true, ...options })
  const held = BigInt(
    `0x${/CapEff:\s*(\S+)/.exec((await rights({ security: 'insecure', allow: ['security.insecure'] })).stdout)?.[1]}`,
  )
  const usual = BigInt(`0x${/CapEff:\s*(\S+)/.exec((await rights({ security: 'sandbox' })).stdout)?.[1]}`)
  assert.ok(held > usual && (held & usual) === usual)
})

test('what a killed run with a secret left is cleared by the next one', async () => {
  const store = tempDir({ after })
  const name = (await builder(['from', 'scratch'], { store })).stdout.trim()
  await builder(['copy', '-q', name, join(src, 'root'), '/'], { store })
  const work = tempDir({ after })
  const at = ['--root', join(store, 'root'), '--runroot', join(store, 'run'), 'run', '-v', `${work}:/x`]
  const words = [...at, '--secret', secret[0] as string, '--mount', 'type=secret,id=token,dst=/t', name, 'sh', '-c']
  // The launcher becomes builder, so that its process ID is the one to kill.
  const script = `mkfifo go; exec 3<>go; "$@" 'echo up >/x/go; while :; do :; done' >/dev/null 2>&1 & timeout 30 head -n1 <&3; kill -9 $!; wait $!; echo $?`
  const killed = await command(['sh', '-c', script, 'sh', join(top, 'bin/builder'), ...words], { cwd: work })
  assert.equal(killed.stdout, 'up\n137\n', killed.stderr)
  assert.equal((await builder(['run', name, 'true'], { store })).code, 0)
  const left = readdirSync(join(store, 'run'), { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    left.filter((path) => /(^|\/)runs\//.test(path)),
    [],
  )
  assert.ok(!readFileSync('/proc/self/mounts', 'utf8').includes(store))
})

test('nothing is left of it all', () => {
  assert.deepEqual(runs(), [])
  assert.deepEqual(readdirSync(join(places.root, 'tmp')), [])
  assert.ok(!existsSync(join(folder, 'new')))
})

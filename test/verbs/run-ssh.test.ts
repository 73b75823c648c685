import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Container, type ContainerRunOptions, from } from '../../sdk/index.js'
import { eventually } from '../bin/in-session.js'
import { command, needs, tempDir } from '../lane.js'
import { listing, places } from '../sdk/rooted.js'

const src = tempDir({ after })
const [key, locked, agent] = [join(src, 'key'), join(src, 'locked'), join(src, 'agent')]
let c: Container
let [fingerprint, agentPid] = ['', 0]

before(async (t) => {
  if (!needs(t as never, 'ssh-agent', 'ssh-add', 'ssh-keygen')) return
  const script = `set -e; for k in key locked; do [ $k = key ] && p= || p=secret; ssh-keygen -q -t ed25519 -N "$p" -C "$k" -f $k; done
    ssh-keygen -lf key.pub; SSH_AUTH_SOCK= ssh-agent -a "$PWD/agent" >vars; . ./vars >&2; ssh-add -q key; echo $SSH_AGENT_PID`
  const made = await command(['sh', '-c', script], { cwd: src })
  assert.equal(made.code, 0, made.stderr)
  const [first = '', pid] = made.stdout.trim().split('\n')
  fingerprint = first.split(' ')[1] ?? ''
  agentPid = Number(pid)
  c = await from('scratch', places)
  mkdirSync(join(src, 'root/bin'), { recursive: true, mode: 0o755 })
  copyFileSync((await command(['sh', '-c', 'command -v busybox'])).stdout.trim(), join(src, 'root/bin/busybox'))
  for (const name of ['sh', 'stat', 'ls']) symlinkSync('busybox', join(src, 'root/bin', name))
  await c.copy(join(src, 'root'), '/')
  await c.copy(['/usr/bin/ssh-add'], undefined, { closure: true })
})
after(() => void (agentPid > 1 && process.kill(agentPid)))

interface Row {
  readonly options: ContainerRunOptions
  readonly script: string
  readonly prints: RegExp
}

const rows: Readonly<Record<string, () => Row>> = {
  'an agent’s socket': () => ({
    options: { ssh: [`default=${agent}`], mount: ['type=ssh'] },
    script: 'echo $SSH_AUTH_SOCK; stat -c "%a %u:%g" $SSH_AUTH_SOCK; ssh-add -l',
    prints: new RegExp(`^/run/buildkit/ssh_agent.0\n600 0:0\n256 ${literal(fingerprint)} key`),
  }),
  'an agent under another id, in another place': () => ({
    options: { ssh: [`other=${agent}`], mount: ['type=ssh,id=other,dst=/agent,mode=0666,required'] },
    script: 'echo $SSH_AUTH_SOCK; stat -c %a /agent; ssh-add -l',
    prints: new RegExp(`^/agent\n666\n256 ${literal(fingerprint)} key`),
  }),
  'a key in a file': () => ({
    options: { ssh: [`default=${key}`], mount: ['type=ssh'] },
    script: 'ssh-add -l',
    prints: new RegExp(`^256 ${literal(fingerprint)} key`),
  }),
  'two agents, of which the first is the usual one': () => ({
    options: { ssh: [`a=${agent}`, `b=${key}`], mount: ['type=ssh,id=a', 'type=ssh,id=b'] },
    script: 'ls /run/buildkit; echo $SSH_AUTH_SOCK; SSH_AUTH_SOCK=/run/buildkit/ssh_agent.1 ssh-add -l',
    prints: new RegExp(`^ssh_agent.0\nssh_agent.1\n/run/buildkit/ssh_agent.0\n256 ${literal(fingerprint)}`),
  }),
  'an agent that the command cannot change': () => ({
    options: { ssh: [`default=${agent}`], mount: ['type=ssh'] },
    script: 'ssh-add -D 2>&1; ssh-add -x 2>&1 </dev/null; ssh-add -l',
    prints: new RegExp(`256 ${literal(fingerprint)} key`),
  }),
  'an agent for another user': () => ({
    options: { ssh: [`default=${agent}`], mount: ['type=ssh,uid=1000,gid=1000'], user: '1000:1000' },
    script: 'ssh-add -l',
    prints: new RegExp(`^256 ${literal(fingerprint)} key`),
  }),
}
for (const isolation of ['oci', 'chroot'] as const)
  for (const [title, row] of Object.entries(rows))
    test(`${isolation}: forwards ${title}`, async () => {
      const earlier = await listing(c)
      const { options, script, prints } = row()
      assert.match((await c.run(['sh', '-c', script], { isolation, quiet: true, ...options })).stdout, prints)
      assert.deepEqual(await listing(c), earlier)
    })

test('a key with a passphrase is refused', async () => {
  const run = c.run(['true'], { ssh: [`default=${locked}`], mount: ['type=ssh'], quiet: true })
  await assert.rejects(run, /forward ssh key .*locked: it has a passphrase; add it to your own agent with ssh-add/)
})

test('a file that is no key is refused', async () => {
  writeFileSync(join(src, 'text'), 'text\n', { mode: 0o600 })
  const run = c.run(['true'], { ssh: [`default=${join(src, 'text')}`], mount: ['type=ssh'], quiet: true })
  await assert.rejects(run, /forward ssh key .*text: .*it has to be a private key that ssh-add takes/)
})

test('agents that were started for runs are gone, and so are their sockets', async () => {
  await eventually(() => agents() === 0, 'the agents end')
  const left = readdirSync(places.runroot, { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    left.filter((name) => /(^|\/)runs\//.test(name)),
    [],
  )
})

/** Those of this user's that were started as runs start them. */
function agents(): number {
  const words = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'latin1')
      } catch {
        return ''
      }
    })
  return words.filter((line) => line.includes('-a\0agent\0') && line.includes('SSH_AGENT_PID')).length
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { quoteWord } from '../../sdk/image/words.js'
import { command, needs, tempDir } from '../lane.js'
import { eventually, furnished, launcher, limit } from './in-session.js'

/** A bash at the prompt of a real terminal. */
interface Terminal {
  /** Types a line. */
  type(line: string): Promise<void>
  /** Presses one key, by tmux's name of it. */
  press(key: string): Promise<void>
  /** Waits until a line is on the screen. */
  shows(line: string): Promise<void>
  readonly store: string
}

async function terminal(t: TestContext): Promise<Terminal> {
  let [store, socket] = ['', '']
  const tmux = (...words: readonly string[]) => command(['tmux', '-S', socket, '-f', '/dev/null', ...words])
  // Before the folders go, without which nobody ends what began there.
  t.after(async () => {
    await tmux('kill-server')
    const left = () => ['sessions', 'holder'].filter((name) => isFilled(join(store, 'run', name)))
    await eventually(() => left().length === 0, 'the end of the session')
  })
  store = await furnished(t)
  socket = join(tempDir(t), 'tmux')
  const settings = {
    B: launcher,
    BUILDER_ROOT: join(store, 'root'),
    BUILDER_RUNROOT: join(store, 'run'),
    PS1: '> ',
    TMPDIR: process.env.TMPDIR ?? '/tmp',
  }
  const words = Object.entries(settings).map(([name, value]) => quoteWord(`${name}=${value}`))
  await tmux(
    'new-session',
    '-d',
    '-x',
    '150',
    '-y',
    '50',
    `cd ${quoteWord(store)}; env ${words.join(' ')} bash --norc -i`,
  )
  const screen = async () => (await tmux('capture-pane', '-p', '-S', '-')).stdout
  return {
    store,
    type: async (line) => void (await tmux('send-keys', line, 'Enter')),
    press: async (key) => void (await tmux('send-keys', key)),
    shows: async (line) => {
      let shown = ''
      await eventually(async () => {
        shown = await screen()
        return shown.split('\n').includes(line)
      }, `the line ${line}`).catch(() => assert.fail(`not shown: ${line}\n${shown}`))
    },
  }
}

/** A file that is there, or a folder with something in it. */
function isFilled(path: string): boolean {
  return existsSync(path) && (!statSync(path).isDirectory() || readdirSync(path).length > 0)
}

const session = `eval "$("$B" session)"; unset BUILDER_MAIN; echo "begun $?"`

test('^C ends a command of a script, and the script', limit, async (t) => {
  if (!needs(t, 'tmux')) return
  const { type, press, shows } = await terminal(t)
  await type(`"$B" unshare sh -c '"$B" run c -- sh -c "echo up; exec sleep 1000"; touch after'`)
  await shows('up')
  const start = Date.now()
  await press('C-c')
  await type('ls after 2>/dev/null; "$B" run c -- printf "again\\n"')
  await shows('again')
  assert.ok(Date.now() - start < 6000)
})

test('^C reaches a command that handles it, at once, and its exit code is its own', limit, async (t) => {
  if (!needs(t, 'tmux')) return
  const { type, press, shows } = await terminal(t)
  await type(
    `"$B" unshare bash -c 'trap "echo script got it" INT; "$B" run c -- sh -c "trap \\"exit 9\\" INT; echo up; while :; do sleep 0.1; done"; echo "code $?"'`,
  )
  await shows('up')
  const start = Date.now()
  await press('C-c')
  await shows('code 9')
  assert.ok(Date.now() - start < 2000)
})

test('^C of a command in the foreground leaves one in the background alone', limit, async (t) => {
  if (!needs(t, 'tmux')) return
  const { type, press, shows } = await terminal(t)
  await type(session)
  await shows('begun 0')
  await type(`"$B" run c -- sh -c 'sleep 4; echo behind' &`)
  await type(`"$B" run c -- sh -c 'echo up; exec sleep 1000'`)
  await shows('up')
  await press('C-c')
  await type('echo "code $?"')
  await shows('code 137')
  await shows('> behind')
})

test('^C at a prompt leaves its session', limit, async (t) => {
  if (!needs(t, 'tmux')) return
  const { type, press, shows } = await terminal(t)
  await type(session)
  await shows('begun 0')
  for (const [i, flags] of ['', '--isolation chroot'].entries()) {
    await type(`"$B" run ${flags} c -- sh -c 'echo up${i}; exec sleep 1000'`)
    await shows(`up${i}`)
    await press('C-c')
    await type(`BUILDER_MAIN=/nowhere "$B" inspect --format 'next${i} {{.Container}}' c`)
    await shows(`next${i} c`)
  }
})

test('^Z stops a command, fg goes on with it, and other verbs work in between', limit, async (t) => {
  if (!needs(t, 'tmux')) return
  const { type, press, shows } = await terminal(t)
  await type(session)
  await shows('begun 0')
  // An OCI runtime does not stop.
  await type(`"$B" run --isolation chroot c -- sh -c 'echo up; sleep 2; echo down'`)
  await shows('up')
  await press('C-z')
  await type(`"$B" inspect --format 'next {{.Container}}' c`)
  await shows('next c')
  await type('fg; echo "code $?"')
  await shows('down')
  await shows('code 0')
})

test('^C during a verb: 130, and the engine undoes it', limit, async (t) => {
  if (!needs(t, 'tmux')) return
  const { type, press, shows } = await terminal(t)
  await type(session)
  await shows('begun 0')
  const left = `"$B" check | sed 's/:.*//'; "$B" images -q | wc -l; find "$BUILDER_ROOT/tmp" -type f | wc -l`
  const verbs = ['add -q c - /x <in', 'commit -q c i', 'copy -q c big /big']
  await type(
    'mkfifo in; exec 4<>in; head -c 600M /dev/urandom >big; "$B" run c -- sh -c "cat >/huge" <big; echo "made $?"',
  )
  await shows('made 0')
  for (const [i, verb] of verbs.entries()) {
    await type(`"$B" ${verb}`)
    await new Promise((resolve) => setTimeout(resolve, 150))
    await press('C-c')
    await type(`echo "${i}: $?" $(${left})`)
    await shows(`${i}: 130 the store is whole 0 0`)
  }
})

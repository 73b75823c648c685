/** A real terminal for a command: tmux, which also says what is on it. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { command, tempDir } from '../lane.js'

export interface Terminal {
  /** The rows that are not empty, without blanks at their ends. */
  rows(): Promise<string[]>
  /** Waits until what is on the terminal fits, and gives its rows. Fails after 20 seconds. */
  until(what: RegExp): Promise<string[]>
  press(...keys: readonly string[]): Promise<void>
  resize(columns: number, rows: number): Promise<void>
  /** False when a program has hidden the cursor. */
  showsCursor(): Promise<boolean>
}

/** Runs a command line of /bin/sh on a terminal, and then prints `exit=` and its code there. */
export async function onTerminal(t: TestContext, line: string, { columns = 100, rows = 15 } = {}): Promise<Terminal> {
  let folder = ''
  const tmux = async (...words: readonly string[]) => {
    const { stdout, stderr, code } = await command(['tmux', '-S', join(folder, 'tmux'), '-f', '/dev/null', ...words])
    assert.equal(code, 0, stderr)
    return stdout
  }
  // Before the folder goes.
  t.after(async () => {
    await tmux('send-keys', 'C-c')
    await terminal.until(/exit=/)
    await tmux('kill-server')
  })
  folder = tempDir(t)
  // The shell must outlive ^C, which the terminal sends to all of the foreground.
  writeFileSync(join(folder, 'line'), `trap : INT\n${line}\necho "exit=$?"\ntrap '' INT\nexec sleep 60\n`)
  await tmux('new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, `exec sh '${join(folder, 'line')}'`)
  const lines = async () => (await tmux('capture-pane', '-p')).split('\n').map((row) => row.trimEnd())
  const terminal: Terminal = {
    rows: async () => (await lines()).filter(Boolean),
    async until(what) {
      for (const end = Date.now() + 20_000; Date.now() < end; await sleep(30)) {
        const shown = await terminal.rows()
        if (what.test(shown.join('\n'))) return shown
      }
      assert.match((await terminal.rows()).join('\n'), what)
      return []
    },
    press: async (...keys) => void (await tmux('send-keys', ...keys)),
    resize: async (width, height) => void (await tmux('resize-window', '-x', `${width}`, '-y', `${height}`)),
    showsCursor: async () => (await tmux('display-message', '-p', '#{cursor_flag}')).trim() === '1',
  }
  return terminal
}

/** A real browser for a page: Chromium without a window, asked through a pipe. Source: Chrome DevTools Protocol. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'

export interface Page {
  /** The value of an expression in the page. */
  value<T>(expression: string): Promise<T>
  /** Presses a key. */
  press(key: string): Promise<void>
  /** Of the display's own setting. */
  prefer(scheme: 'light' | 'dark'): Promise<void>
  /** What the page asked for, and what the browser complained of: forbidden scripts, styles and requests. */
  readonly requests: readonly string[]
  readonly complaints: readonly string[]
  picture(file: string, width?: number): Promise<void>
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

/** Opens a file. The browser ends with the test. */
export async function openPage(t: TestContext, file: string, { hasScripts = true, width = 1200 } = {}): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'browser-'))
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
  const net = [
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-extensions',
  ]
  const words = [
    ...flags,
    ...net,
    '--remote-debugging-pipe',
    `--user-data-dir=${profile}`,
    `--window-size=${width},900`,
  ]
  const child = spawn('chromium', words, {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: profile },
  })
  const { ask, session, listen } = pipeOf(child)
  t.after(async () => {
    const ended = child.exitCode === null ? once(child, 'exit') : undefined
    delete session.id
    await ask('Browser.close').catch(() => child.kill('SIGKILL'))
    await ended
    // What it started may write a little longer than itself.
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })
  const requests: string[] = []
  const complaints: string[] = []
  listen('Network.requestWillBeSent', (params) => requests.push((params.request as { url: string }).url))
  listen('Log.entryAdded', (params) => complaints.push((params.entry as { text: string }).text))
  const { targetId } = await ask('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true })
  session.id = sessionId as string
  await Promise.all(['Page', 'Runtime', 'Log', 'Network'].map((domain) => ask(`${domain}.enable`)))
  if (!hasScripts) await ask('Emulation.setScriptExecutionDisabled', { value: true })
  const loaded = new Promise<void>((resolve) => listen('Page.loadEventFired', () => resolve()))
  await ask('Page.navigate', { url: pathToFileURL(file).href })
  await loaded
  return {
    requests,
    complaints,
    async value<T>(expression: string) {
      const { result } = await ask('Runtime.evaluate', { expression, returnByValue: true })
      return (result as { value: T }).value
    },
    async press(key) {
      await ask('Input.dispatchKeyEvent', {
        type: 'keyDown',
        key,
        ...(key.length === 1 ? { text: key } : keyCodes[key]),
      })
      await ask('Input.dispatchKeyEvent', { type: 'keyUp', key, ...keyCodes[key] })
    },
    prefer: async (value) =>
      void (await ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] })),
    async picture(path, columns = width) {
      await ask('Emulation.setDeviceMetricsOverride', {
        width: columns,
        height: 900,
        deviceScaleFactor: 1,
        mobile: false,
      })
      const { data } = await ask('Page.captureScreenshot', { captureBeyondViewport: true })
      writeFileSync(path, data as string, 'base64')
    },
  }
}

const keyCodes: Readonly<Record<string, { windowsVirtualKeyCode: number; text?: string }>> = {
  Tab: { windowsVirtualKeyCode: 9 },
  Enter: { windowsVirtualKeyCode: 13, text: '\r' },
  Escape: { windowsVirtualKeyCode: 27 },
}

/** Messages are JSON, each with a zero byte at its end; the browser reads descriptor 3 and writes to descriptor 4. */
function pipeOf(child: ChildProcess) {
  const [, , , to, from] = child.stdio as unknown as [
    unknown,
    unknown,
    unknown,
    NodeJS.WritableStream,
    NodeJS.ReadableStream,
  ]
  const waiting = new Map<number, (message: Message) => void>()
  const listeners: { method: string; hear: (params: Record<string, unknown>) => void }[] = []
  const session: { id?: string } = {}
  let rest = ''
  let last = 0
  from.setEncoding('utf8')
  from.on('data', (text: string) => {
    const messages = `${rest}${text}`.split('\0')
    rest = messages.pop() ?? ''
    for (const message of messages.map((one) => JSON.parse(one) as Message)) {
      waiting.get(message.id ?? 0)?.(message)
      for (const { method, hear } of listeners) if (method === message.method) hear(message.params ?? {})
    }
  })
  child.on('exit', () => {
    for (const end of waiting.values()) end({ error: { message: 'the browser has ended' } })
  })
  const ask = (method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> => {
    const id = ++last
    return new Promise((resolve, reject) => {
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id)
        if (error) reject(new Error(`${method}: ${error.message}`))
        else resolve(result ?? {})
      })
      to.write(`${JSON.stringify({ id, method, params, ...(session.id ? { sessionId: session.id } : {}) })}\0`)
    })
  }
  const listen = (method: string, hear: (params: Record<string, unknown>) => void) =>
    void listeners.push({ method, hear })
  return { ask, session, listen }
}

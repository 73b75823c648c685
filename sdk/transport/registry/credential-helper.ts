import { spawn } from 'node:child_process'
import { BuilderError } from '../../errors.js'
import type { Credentials } from './access.js'

/** How a helper is called. */
export interface HelperOptions {
  /** How long it may take, in milliseconds: it may ask the user for a passphrase. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

/**
 * Asks `docker-credential-<name>` for a login (the protocol of docker-credential-helpers: a verb as argument, the server on
 * standard input, JSON on standard output). Undefined when it has none. Throws `NOT_FOUND` without the program, `SYSTEM` when
 * it fails or takes too long, `INVALID` for an answer that is not the protocol's.
 */
export async function askHelper(
  name: string,
  server: string,
  options: HelperOptions = {},
): Promise<Credentials | undefined> {
  const { code, stdout, stderr } = await callHelper(name, 'get', server, server, options)
  if (code === 0) return loginIn(stdout, name, server)
  if (/credentials not found/i.test(stdout + stderr)) return undefined
  throw failed(name, 'get', server, code, firstLine(stdout, stderr))
}

/** Gives a login to a helper to keep. Throws as {@link askHelper} does. */
export async function storeInHelper(
  name: string,
  server: string,
  { username, password }: { readonly username: string; readonly password: string },
  options: HelperOptions = {},
): Promise<void> {
  const input = JSON.stringify({ ServerURL: server, Username: username, Secret: password })
  const { code, stdout, stderr } = await callHelper(name, 'store', server, input, options)
  if (code !== 0) throw failed(name, 'store', server, code, without(password, firstLine(stdout, stderr)))
}

/** Has a helper forget a login; it is no error when it had none. Throws as {@link askHelper} does. */
export async function eraseFromHelper(name: string, server: string, options: HelperOptions = {}): Promise<void> {
  const { code, stdout, stderr } = await callHelper(name, 'erase', server, server, options)
  if (code === 0 || /credentials not found/i.test(stdout + stderr)) return
  throw failed(name, 'erase', server, code, firstLine(stdout, stderr))
}

interface Answer {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function callHelper(
  name: string,
  verb: string,
  server: string,
  input: string,
  { timeout = 60_000, signal }: HelperOptions,
): Promise<Answer> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    throw new BuilderError('INVALID', {
      ...about(verb, server),
      reason: `${JSON.stringify(name)} is no name of a helper`,
    })
  return new Promise((resolve, reject) => {
    const stop = AbortSignal.any([AbortSignal.timeout(timeout), ...(signal ? [signal] : [])])
    const child = spawn(`docker-credential-${name}`, [verb], { signal: stop, killSignal: 'SIGKILL' })
    const output = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        if (output[stream].length < answerLimit) output[stream] += text
      })
    child.on('error', (error: NodeJS.ErrnoException) => {
      // What the helper itself started may keep the pipes open when it is killed.
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
      reject(notRun(error, name, verb, server, timeout, signal))
    })
    child.on('close', (code) => resolve({ ...output, code }))
    // A helper that does not read its input is judged by its exit code.
    child.stdin.on('error', () => {}).end(input)
  })
}

const answerLimit = 1024 * 1024

function loginIn(stdout: string, name: string, server: string): Credentials | undefined {
  const answer = parsed(stdout)
  if (typeof answer?.Username !== 'string' || typeof answer.Secret !== 'string')
    throw new BuilderError('INVALID', {
      ...about('get', server),
      reason: `docker-credential-${name} did not answer with a Username and a Secret in JSON`,
      hint: `see what  echo ${server} | docker-credential-${name} get  prints`,
    })
  const { Username: username, Secret: secret } = answer
  if (secret === '') return undefined
  // docker's own mark for a secret that is an identity token.
  if (username === '<token>') return { kind: 'token', username, identityToken: secret }
  return { kind: 'password', username, password: secret }
}

/** The text may hold a secret, and an error of JSON.parse quotes it. */
function parsed(text: string): { readonly Username?: unknown; readonly Secret?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function notRun(
  error: NodeJS.ErrnoException,
  name: string,
  verb: string,
  server: string,
  timeout: number,
  signal: AbortSignal | undefined,
): BuilderError {
  const program = `docker-credential-${name}`
  if (error.code === 'ENOENT')
    return new BuilderError('NOT_FOUND', {
      ...about(verb, server),
      reason: `the credential helper ${program} is not on the PATH`,
      hint: `install it, or take ${JSON.stringify(name)} out of credHelpers or credsStore`,
    })
  if (signal?.aborted)
    return new BuilderError('ABORTED', { ...about(verb, server), reason: 'stopped before it was done' })
  const late = error.name === 'AbortError'
  return new BuilderError('SYSTEM', {
    ...about(verb, server),
    reason: late ? `${program} did not answer within ${timeout / 1000} s` : `${program}: ${error.message}`,
    hint: `try  echo ${server} | ${program} ${verb}  by hand`,
  })
}

function failed(name: string, verb: string, server: string, code: number | null, said: string): BuilderError {
  const how = code === null ? 'was killed' : `failed with exit code ${code}`
  return new BuilderError('SYSTEM', {
    ...about(verb, server),
    reason: `docker-credential-${name} ${how}${said === '' ? '' : `: ${said}`}`,
    hint: `try  echo ${server} | docker-credential-${name} ${verb}  by hand`,
  })
}

/** The helper's own words, but never JSON: that may be a login. */
function firstLine(...texts: readonly string[]): string {
  const lines = texts.flatMap((text) => text.split('\n')).map((line) => line.trim())
  return lines.find((line) => line !== '' && !/[{}"]/.test(line))?.slice(0, 200) ?? ''
}

function without(secret: string, text: string): string {
  return secret === '' ? text : text.replaceAll(secret, '***')
}

function about(verb: string, server: string): { readonly operation: string; readonly object: string } {
  const operation = { get: 'find login for', store: 'keep login for', erase: 'forget login for' }[verb] ?? verb
  return { operation, object: server }
}

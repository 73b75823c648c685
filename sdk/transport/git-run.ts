import { type ChildProcess, spawn } from 'node:child_process'
import { BuilderError } from '../errors.js'
import { needTool } from './tool.js'

/** Runs git in one folder and in one way; gives what it prints. Throws `ABORTED`, and what git's own words come to. */
export type Git = (args: readonly string[]) => Promise<string>

/** How git is run. */
export interface GitCall {
  readonly folder: string
  /** The address, for messages, without credentials. */
  readonly name: string
  /** Whether repositories of this machine may be read (`file://`); submodules of another may not in any case. */
  readonly allowsFiles: boolean
  /** A header that goes to the address's own server. */
  readonly header?: { readonly origin: string; readonly line: string }
  /** What must not be in a message. */
  readonly secrets: readonly string[]
  readonly signal?: AbortSignal
}

/**
 * Git that asks nothing, runs no hook or filter, and reads no configuration but this, so that one commit gives the same files on
 * every machine. What connects is the user's: SSH keys and agent, `~/.netrc`, proxies. Throws `UNSUPPORTED` when it is not installed.
 */
export function gitIn(call: GitCall): Git {
  needTool([{ program: 'git', package: 'git' }], { name: call.name, operation: 'read repository' })
  return (args) => run(args, call)
}

function run(args: readonly string[], call: GitCall): Promise<string> {
  // What git checks out has the umask's modes.
  const words = ['-c', 'umask 022 && exec git "$@"', 'sh', ...args]
  const child = spawn('sh', words, {
    cwd: call.folder,
    env: environment(call),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, for git starts others.
    detached: true,
  })
  const stop = () => endGroup(child)
  call.signal?.addEventListener('abort', stop, { once: true })
  if (call.signal?.aborted) stop()
  return ending(child, call).finally(() => call.signal?.removeEventListener('abort', stop))
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

function ending(child: ChildProcess, call: GitCall): Promise<string> {
  const said = { out: '', error: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (said.out.length < printLimit) said.out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said.error = (said.error + text).slice(-16 * 1024)
  })
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => reject(failure(call, String(cause))))
    child.on('close', (code) => {
      if (call.signal?.aborted) reject(stopped(call))
      else if (code === 0) resolve(said.out)
      else reject(failure(call, said.error))
    })
  })
}

const printLimit = 64 * 1024 * 1024

function environment({ allowsFiles, header }: GitCall): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_') || connecting.test(name))
  const settings: (readonly [string, string])[] = [
    ['protocol.allow', 'never'],
    ...['https', 'http', 'ssh', 'git'].map((name) => [`protocol.${name}.allow`, 'always'] as const),
    // `user`: what the user named, and nothing that a repository names.
    ['protocol.file.allow', allowsFiles ? 'user' : 'never'],
    ['core.hooksPath', '/dev/null'],
    ['core.autocrlf', 'false'],
    ['core.symlinks', 'true'],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    ['init.defaultBranch', 'main'],
    ['advice.detachedHead', 'false'],
    ...(header ? [[`http.${header.origin}/.extraHeader`, header.line] as const] : []),
  ]
  const numbered = settings.flatMap(([key, value], i) => [
    [`GIT_CONFIG_KEY_${i}`, key] as const,
    [`GIT_CONFIG_VALUE_${i}`, value] as const,
  ])
  return {
    ...Object.fromEntries(kept),
    GIT_SSH_COMMAND: process.env.GIT_SSH_COMMAND ?? 'ssh -o BatchMode=yes',
    ...Object.fromEntries(numbered),
    GIT_CONFIG_COUNT: `${settings.length}`,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    SSH_ASKPASS: 'true',
    GCM_INTERACTIVE: 'never',
    GIT_LFS_SKIP_SMUDGE: '1',
    LC_ALL: 'C.UTF-8',
  }
}

/** Variables that say how git connects. */
const connecting = /^GIT_(?:SSH|SSH_COMMAND|SSH_VARIANT|PROXY_COMMAND|SSL_\w+|HTTP_\w+)$/

function stopped({ name, signal }: GitCall): BuilderError {
  const reason = 'stopped before it was done'
  return new BuilderError('ABORTED', { operation: 'fetch', object: name, reason, cause: signal?.reason })
}

function failure({ name, secrets }: GitCall, said: string): BuilderError {
  const clean = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), said)
  const lines = clean.split('\n').map((line) => line.trim())
  const known = faults.find(({ says }) => says.test(clean))
  const fitting = known ? lines.find((one) => known.says.test(one)) : undefined
  const fatal = lines.findLast((one) => /^(?:fatal|error|ERROR):/.test(one))
  const line = fitting ?? fatal ?? lines.findLast((one) => one !== '')
  const reason = `git says: ${line ?? 'nothing'}`
  const { code, hint } = known ?? { code: 'SYSTEM' as const, hint: 'check the address' }
  return new BuilderError(code, { operation: 'fetch', object: name, reason, hint })
}

const faults = [
  {
    says: /could not read Username|Authentication failed|terminal prompts disabled|Permission denied \(publickey|HTTP 40[13]/i,
    code: 'DENIED',
    hint: 'it wants a login: an SSH key, a line in ~/.netrc, or a token',
  },
  {
    says: /Could not resolve host|Failed to connect|Connection refused|Connection timed out|unable to look up/i,
    code: 'NETWORK',
    hint: 'check the address and the network',
  },
  { says: /transport '\w+' not allowed/, code: 'UNSUPPORTED', hint: 'give it as a folder, or over https' },
  {
    says: /repository '.*' not found|does not appear to be a git repository|does not exist|not found: did you run|access denied or repository not exported/i,
    code: 'NOT_FOUND',
    hint: 'check the address',
  },
] as const

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { BuilderError } from '../errors.js'
import { findProgram, hostEnvironment, needProgram } from './programs.js'

/** An ssh agent of one's own. Disposing of it ends it, and forgets the keys. */
export interface OwnAgent extends AsyncDisposable {
  /** The folder and the name in it of its socket: the path may be longer than a socket's address may be. */
  readonly folder: string
  readonly socket: string
}

/**
 * Starts an ssh agent with the keys of some files, which it alone reads. It ends with this process, however that ends.
 * Throws `UNSUPPORTED` where ssh-agent is not installed, `INVALID` for a key that it does not take.
 *
 * @param folder - A private folder for its socket; made, and removed at its end.
 */
export async function startAgent(folder: string, files: readonly string[]): Promise<OwnAgent> {
  const agent = needProgram('ssh-agent', 'openssh-client', 'forward ssh keys')
  const sh = needProgram('sh', 'dash', 'forward ssh keys')
  const cat = needProgram('cat', 'coreutils', 'forward ssh keys')
  mkdirSync(folder, { mode: 0o700 })
  // With a command the agent ends when that does; the command ends when this process lets go of the pipe to it.
  const words = ['-a', 'agent', sh, '-c', 'echo "$SSH_AGENT_PID"; exec "$1" >/dev/null', 'sh', cat]
  const child = spawn(agent, words, { cwd: folder, env: hostEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] })
  const pid = await started(child)
  const end = async () => {
    child.stdin?.destroy()
    endProcess(pid)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    for (const file of files) await addKey(folder, file)
  } catch (error) {
    await end()
    throw error
  }
  return { folder, socket: 'agent', [Symbol.asyncDispose]: end }
}

/** Its process ID, once it listens. */
function started(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let [said, complaint] = ['', '']
    child.stdin?.on('error', () => {})
    child.stderr?.on('data', (text) => (complaint += text))
    child.stdout?.on('data', (text) => {
      said += text
      if (said.endsWith('\n')) resolve(Number(said))
    })
    child.once('error', reject)
    child.once('close', () => reject(notStarted(complaint.trim())))
  })
}

/** Gone already when its command was. */
function endProcess(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, 'SIGTERM')
  } catch {}
}

function addKey(folder: string, file: string): Promise<void> {
  const program = findProgram('ssh-add') ?? needProgram('ssh-add', 'openssh-client', 'forward ssh keys')
  // It must not ask anybody for a passphrase: nobody may be there.
  const env = { ...hostEnvironment(), SSH_AUTH_SOCK: 'agent', SSH_ASKPASS_REQUIRE: 'never' }
  const child = spawn('setsid', ['-w', program, '-q', '--', file], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', (text) => (complaint += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(notTaken(file, complaint.trim()))))
  })
}

function notStarted(complaint: string): BuilderError {
  const reason = complaint || 'it ended at once'
  return new BuilderError('SYSTEM', { operation: 'start', object: 'ssh-agent', reason })
}

function notTaken(file: string, complaint: string): BuilderError {
  const asked = /passphrase/i.test(complaint) || complaint === ''
  return new BuilderError('INVALID', {
    operation: 'forward ssh key',
    object: file,
    reason: asked ? 'it has a passphrase' : (complaint.split('\n').find((line) => !/^@+$/.test(line)) ?? complaint),
    hint: asked
      ? 'add it to your own agent with ssh-add, and forward that: --ssh default'
      : 'it has to be a private key that ssh-add takes',
  })
}

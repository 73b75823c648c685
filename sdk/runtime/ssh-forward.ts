import { chmodSync, chownSync, closeSync, constants, openSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { asBuilderError } from '../errors.js'
import type { Owned } from './mount-request.js'

/** A socket that leads to an ssh agent. */
export interface ForwardedAgent extends AsyncDisposable {
  /** Absolute path on the host. */
  readonly path: string
}

/**
 * Makes a socket, of an owner of its own, behind which an ssh agent answers two questions: which keys it has, and for a
 * signature. What would change the agent - keys to add or remove, a lock - is refused. It is there until it is disposed of.
 * Throws `SYSTEM`. Source: draft-miller-ssh-agent, "Protocol".
 */
export async function forwardAgent(
  agent: string,
  folder: string,
  name: string,
  { mode, uid, gid }: Owned,
): Promise<ForwardedAgent> {
  const [there, agentFolder] = openFolders(folder, dirname(agent))
  const path = join(folder, name)
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(address(agentFolder, basename(agent)))
    for (const one of [client, upstream]) {
      open.add(one)
      one.on('error', () => {}).on('close', () => open.delete(one))
    }
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy()).pipe(client)
    filterRequests(client, upstream)
  })
  const end = async () => {
    for (const one of open) one.destroy()
    await new Promise((resolve) => server.close(resolve))
    for (const one of [there, agentFolder]) closeSync(one)
    rmSync(path, { force: true })
  }
  try {
    await listening(server, address(there, name))
    chmodSync(path, mode)
    chownSync(path, uid, gid)
  } catch (error) {
    await end()
    throw asBuilderError(error, 'forward ssh agent', path)
  }
  return { path, [Symbol.asyncDispose]: end }
}

/** Passes whole requests on, of the kinds that change nothing; the others get the agent's own word for no. */
function filterRequests(client: Socket, upstream: Socket): void {
  let rest = Buffer.alloc(0)
  client.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 5) {
      const length = 4 + rest.readUInt32BE(0)
      if (length < 5 || length > longest) return void client.destroy()
      if (rest.length < length) return
      const isHarmless = harmless.has(rest[4] as number)
      if (isHarmless) upstream.write(rest.subarray(0, length))
      else client.write(failure)
      rest = Buffer.from(rest.subarray(length))
    }
  })
  client.on('end', () => upstream.end())
}

/** Of sockets an address holds 108 bytes; a path through an open folder is always short enough. */
function address(folder: number, name: string): string {
  return `/proc/self/fd/${folder}/${name}`
}

function openFolders(own: string, agents: string): [number, number] {
  const first = openSync(own, O_PATH | constants.O_DIRECTORY)
  try {
    return [first, openSync(agents, O_PATH | constants.O_DIRECTORY)]
  } catch (error) {
    closeSync(first)
    throw asBuilderError(error, 'forward ssh agent', agents)
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}

/** Linux's O_PATH, which node:fs does not name: opens a directory without the right to read it. */
const O_PATH = 0o10000000
/** SSH_AGENTC_REQUEST_IDENTITIES, SSH_AGENTC_SIGN_REQUEST, SSH_AGENTC_EXTENSION (which binds a session to its host). */
const harmless = new Set([11, 13, 27])
/** SSH_AGENT_FAILURE. */
const failure = Buffer.from([0, 0, 0, 1, 5])
/** Bytes of a request, as OpenSSH's agent has it. */
const longest = 256 * 1024

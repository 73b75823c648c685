import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BuilderError } from '../../errors.js'
import { idError, isMapped } from '../../namespace/idmap.js'
import { dropMemoryFolder, makeMemoryFolder } from '../../runtime/memory-folder.js'
import type { BindMount, Owned, SecretWish, SshWish } from '../../runtime/mount-request.js'
import { parseSecret, readSecret, type SecretSource } from '../../runtime/secret.js'
import { startAgent } from '../../runtime/ssh-agent.js'
import { parseSsh, type SshSource } from '../../runtime/ssh-source.js'
import type { MountSetting } from './mount-setting.js'
import { memoryOf } from './reap.js'

/**
 * The secrets and ssh agents that one run may use. A secret is written to memory only; one that was not given is left out, or is an
 * error where the mount requires it.
 */
export class RunSecrets {
  readonly #setting: MountSetting
  readonly #held: AsyncDisposable[]
  readonly #secrets: ReadonlyMap<string, SecretSource>
  readonly #agents: ReadonlyMap<string, SshSource>
  readonly #values: Buffer[] = []
  readonly #secretEnv: Record<string, string> = {}
  readonly #env: Record<string, string> = {}
  #memory: string | undefined
  #sockets = 0

  /** Throws `USAGE`, `NOT_FOUND` for an agent or a key that is not there. */
  constructor(setting: MountSetting, held: AsyncDisposable[]) {
    this.#setting = setting
    this.#held = held
    this.#secrets = byId((setting.options.secret ?? []).map((text) => parseSecret(text)))
    this.#agents = byId((setting.options.ssh ?? []).map((text) => parseSsh(text)))
  }

  /** Throws `NOT_FOUND`, `INVALID`, `ID_MAP`. */
  secret(wish: SecretWish): BindMount[] {
    const source = this.#secrets.get(wish.id)
    if (!source && wish.required) throw notGiven(wish)
    if (!source) return []
    const value = readSecret(source)
    this.#values.push(value)
    this.#memory ??= this.#newMemory()
    if (wish.env !== undefined) this.#secretEnv[wish.env] = value.toString()
    if (wish.env !== undefined && wish.destination === undefined) return []
    const file = join(this.#memory, `secret-${this.#values.length}`)
    writeFileSync(file, value, { mode: 0o600 })
    const destination = wish.destination ?? `/run/secrets/${wish.id}`
    own(file, destination, wish, 0o400)
    return [{ type: 'bind', source: file, destination, readonly: true, recursive: false, flags: guarded }]
  }

  /** Throws `NOT_FOUND`, `UNSUPPORTED`, `INVALID`, `ID_MAP`. */
  async ssh(wish: SshWish): Promise<BindMount[]> {
    const agent = this.#agents.get(wish.id)
    if (!agent && wish.required) throw notGiven(wish)
    if (!agent) return []
    const number = this.#sockets++
    const { folder } = this.#setting
    const destination = wish.destination ?? `/run/buildkit/ssh_agent.${number}`
    const socket =
      agent.type === 'agent' ? agent.socket : await this.#started(agent.files, join(folder, `keys-${number}`))
    const owned = ownedBy(destination, wish, 0o600)
    // Loaded here, for few runs need sockets.
    const { forwardAgent } = await import('../../runtime/ssh-forward.js')
    const forwarded = await forwardAgent(socket, folder, `ssh-${number}`, owned)
    this.#held.push(forwarded)
    this.#env.SSH_AUTH_SOCK ??= destination
    return [{ type: 'bind', source: forwarded.path, destination, recursive: false, flags: guarded }]
  }

  /** What came of it, for the run. */
  found() {
    return {
      env: this.#env,
      secretEnv: this.#secretEnv,
      secrets: this.#values,
      ...(this.#memory === undefined ? {} : { memory: this.#memory }),
    }
  }

  async #started(files: readonly string[], folder: string): Promise<string> {
    const agent = await startAgent(folder, files)
    this.#held.push(agent)
    return join(agent.folder, agent.socket)
  }

  #newMemory(): string {
    const folder = memoryOf(this.#setting.folder)
    makeMemoryFolder(folder)
    this.#held.push({ [Symbol.asyncDispose]: async () => dropMemoryFolder(folder) })
    return folder
  }
}

function byId<One extends { readonly id: string }>(all: readonly One[]): ReadonlyMap<string, One> {
  return new Map(all.map((one) => [one.id, one]))
}

function own(file: string, destination: string, wish: Partial<Owned>, mode: number): void {
  const owned = ownedBy(destination, wish, mode)
  chownSync(file, owned.uid, owned.gid)
  chmodSync(file, owned.mode)
}

function ownedBy(destination: string, { uid = 0, gid = 0, mode }: Partial<Owned>, usual: number): Owned {
  if (!isMapped('uid', uid) || !isMapped('gid', gid)) throw idError('run --mount', destination, uid, gid)
  return { uid, gid, mode: mode ?? usual }
}

function notGiven({ type, id }: SecretWish | SshWish): BuilderError {
  const what = type === 'secret' ? 'secret' : 'ssh agent'
  const flag = type === 'secret' ? `--secret id=${id},src=FILE` : `--ssh ${id}`
  return new BuilderError('NOT_FOUND', {
    operation: 'run --mount',
    object: `type=${type},id=${id}`,
    reason: `the ${what} is required, and was not given`,
    hint: `add ${flag}`,
  })
}

const guarded = ['nosuid', 'nodev', 'noexec'] as const

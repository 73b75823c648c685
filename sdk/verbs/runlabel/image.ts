import { spawn } from 'node:child_process'
import { BuilderError } from '../../errors.js'
import { isInside } from '../../namespace/inside.js'
import { nameMeant } from '../../store/find-image.js'
import { findImage, type Image } from '../../store/images.js'
import type { Store } from '../../store/store.js'
import type { RegistryOptions } from '../../transport/registry/access.js'
import type { GlobalOptions } from '../global.js'
import type { PullPolicy } from '../transfer/pull-image.js'
import { ownLauncher } from './own-launcher.js'

/** An image that a label's command speaks of. */
export interface LabelImage {
  readonly image: Image
  /** The full name that was meant; the ID when it has none. */
  readonly name: string
  /** The name by which nothing but these bytes can be meant. */
  readonly pinned: string
}

/** How a missing image is fetched. A password would be seen in the words of the process that pulls. */
export interface LabelImageOptions extends GlobalOptions, Omit<RegistryOptions, 'creds'> {
  pull?: boolean | PullPolicy
}

/** Finds an image in the store, and has it pulled where that is asked for. Throws what `pull` throws. */
export async function findLabelImage(store: Store, text: string, options: LabelImageOptions): Promise<LabelImage> {
  const policy = options.pull === true ? 'newer' : options.pull || 'missing'
  const isWanted = policy === 'always' || policy === 'newer'
  try {
    if (!isWanted) return named(await findImage(store, text, 'runlabel'), text)
  } catch (error) {
    if (policy === 'never' || !(error instanceof BuilderError) || error.code !== 'NOT_FOUND') throw error
  }
  const pulled = await pull(store, text, policy, options)
  return named(await findImage(store, pulled, 'runlabel'), text)
}

function named(image: Image, text: string): LabelImage {
  const names = image.names.length > 0 ? image.names : image.list?.name === undefined ? [] : [image.list.name]
  const name = nameMeant(names, text) ?? names[0]
  if (name === undefined) return { image, name: image.id, pinned: image.id }
  const repository = name.replace(/@.*$/, '').replace(/:[^:/]*$/, '')
  return { image, name, pinned: `${repository}@${image.manifestDigest}` }
}

/** Layers are unpacked in the namespace; a process of its own goes there. Gives what finds the image. */
async function pull(store: Store, text: string, policy: PullPolicy, options: LabelImageOptions): Promise<string> {
  if (!isInside()) return pullByLauncher(text, policy, options)
  const { pullImage } = await import('../transfer/pull-image.js')
  const { pull: _, ...rest } = options
  return (await pullImage(store, text, { ...rest, policy, operation: 'runlabel' })).digest
}

function pullByLauncher(text: string, policy: PullPolicy, options: LabelImageOptions): Promise<string> {
  const { authfile, certDir, tlsVerify, signal } = options
  const flags = [
    ...(authfile === undefined ? [] : [`--authfile=${authfile}`]),
    ...(certDir === undefined ? [] : [`--cert-dir=${certDir}`]),
    ...(tlsVerify === undefined ? [] : [`--tls-verify=${tlsVerify}`]),
  ]
  const [program = '', ...words] = [...ownLauncher(options), 'pull', ...flags, `--policy=${policy}`, '--', text]
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], ...(signal ? { signal } : {}) })
    const said = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (some: string) => {
      said.stdout += some
    })
    child.stderr.setEncoding('utf8').on('data', (some: string) => {
      said.stderr += some
    })
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve(said.stdout.trim()) : reject(failed(text, said.stderr))))
  })
}

function failed(text: string, stderr: string): BuilderError {
  const last = stderr.trim().split('\n').at(-1) ?? ''
  const reason = last.replace(/^builder: /, '') || 'it failed'
  return new BuilderError('NOT_FOUND', { operation: 'runlabel --pull', object: JSON.stringify(text), reason })
}

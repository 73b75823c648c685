/** Repositories of our own Debian packages, signed with a key of the tests. Made by hand in milliseconds, without Debian's tools. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../lane.js'
import { controlOf, type DebSpec, debFile } from './deb-file.js'

/** A key that signs, and its public half for `--keyring`. */
export interface DebKey extends AsyncDisposable {
  readonly home: string
  readonly keyring: string
  /** gpg's clock: of a key that has expired since. */
  readonly time: readonly string[]
}

export interface DebRepository {
  readonly folder: string
  /** For `--source`; signed by the key that is given with `--keyring`. */
  readonly source: string
}

/** Makes a key; with `expired` it was good for one day of 2020. */
export async function debKey(home: string, expired = false): Promise<DebKey> {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const time = expired ? ['--faked-system-time', '20200101T120000'] : []
  const keyring = join(home, 'public.gpg')
  const quick = [
    '--passphrase',
    '',
    '--quick-gen-key',
    'tests <tests@localhost>',
    'ed25519',
    'sign',
    expired ? '1d' : 'never',
  ]
  await gpg(home, [...time, ...quick])
  await gpg(home, ['--output', keyring, '--export'])
  const end = () => command(['gpgconf', '--homedir', home, '--kill', 'all'])
  return { home, keyring, time, [Symbol.asyncDispose]: async () => void (await end()) }
}

export interface RepositoryOptions {
  /** Signs it; unsigned without. */
  readonly key?: DebKey
  /** Fields of its Release file. */
  readonly release?: readonly string[]
}

/** Writes the repository into a folder, which it may have been in before: packages that are no more listed stay in its pool. */
export async function debRepository(
  folder: string,
  packages: readonly DebSpec[],
  { key, release = [] }: RepositoryOptions = {},
): Promise<DebRepository> {
  mkdirSync(join(folder, 'pool/main'), { recursive: true })
  const paragraphs = packages.map((spec) => {
    const file = `pool/main/${spec.name}_${(spec.version ?? '1.0').replace(/^\d+:/, '')}.deb`
    const bytes = debFile(spec)
    writeFileSync(join(folder, file), bytes)
    return `${controlOf(spec)}Filename: ${file}\nSize: ${bytes.length}\nSHA256: ${sha256(bytes)}\n`
  })
  const list = paragraphs.join('\n')
  const lists = architectures.map((architecture) => `main/binary-${architecture}/Packages`)
  for (const path of lists) {
    mkdirSync(join(folder, 'dists/test', path, '..'), { recursive: true })
    writeFileSync(join(folder, 'dists/test', path), list)
  }
  const sums = lists.map((path) => ` ${sha256(list)} ${Buffer.byteLength(list)} ${path}`)
  const date = release.some((line) => line.startsWith('Date:')) ? [] : ['Date: Sun, 13 Sep 2020 12:26:40 UTC']
  const fields = ['Origin: Tests', 'Suite: test', 'Codename: test', ...date, ...release]
  const arches = `Architectures: ${architectures.join(' ')}`
  writeFileSync(
    join(folder, 'dists/test/Release'),
    [...fields, arches, 'Components: main', 'SHA256:', ...sums, ''].join('\n'),
  )
  rmSync(join(folder, 'dists/test/InRelease'), { force: true })
  if (key) await sign(folder, key)
  return { folder, source: `deb file:${folder} test main` }
}

const architectures = ['amd64', 'arm64'] as const

/** Puts the same keys and packages behind another address. */
export function sourceAt(url: string): string {
  return `deb ${url} test main`
}

async function sign(folder: string, { home, time }: DebKey): Promise<void> {
  const files = ['--output', join(folder, 'dists/test/InRelease'), join(folder, 'dists/test/Release')]
  await gpg(home, [...time, '--clearsign', ...files])
}

async function gpg(home: string, words: readonly string[]): Promise<void> {
  const { code, stderr } = await command(['gpg', '--homedir', home, '--batch', '--yes', '--quiet', ...words])
  if (code !== 0) throw new Error(stderr)
}

/** A package's digest in a repository. */
export function digestIn({ folder }: DebRepository, file: string): string {
  return sha256(readFileSync(join(folder, 'pool/main', file)))
}

function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** What the tests of apt share: one repository of small packages, and containers that get them. */
import { join } from 'node:path'
import { type AptOptions, type Container, type from, RunError } from '../../sdk/index.js'
import { places } from '../sdk/rooted.js'
import type { DebEntry, DebSpec } from './deb-file.js'
import { type DebKey, type DebRepository, debKey, debRepository } from './deb-repository.js'

const folders = (...paths: readonly string[]): DebEntry[] => paths.map((path) => ({ path: `${path}/` }))

/** hello needs hello-data, and would like hello-extra. */
export const hello: DebSpec = {
  name: 'hello',
  version: '1:1.0-1',
  fields: ['Depends: hello-data (>= 1.0)', 'Recommends: hello-extra'],
  entries: [
    ...folders('bin', 'usr', 'usr/bin', 'usr/share', 'usr/share/doc', 'usr/share/doc/hello', 'usr/share/man/man1'),
    ...folders('usr/share/locale/de/LC_MESSAGES', 'usr/share/locale/pt_BR/LC_MESSAGES', 'var', 'var/lib'),
    { path: 'var/lib/hello/', mode: 0o2770, uid: 33 },
    { path: 'bin/hello', content: '#!/bin/sh\necho hello\n', mode: 0o755 },
    { path: 'usr/bin/hello-again', hard: './bin/hello' },
    { path: 'usr/bin/hallo', link: '../../bin/hello' },
    { path: 'usr/bin/shello', content: 'setuid', mode: 0o4755 },
    { path: 'usr/share/doc/hello/copyright', content: 'free' },
    { path: 'usr/share/doc/hello/README', content: 'read me' },
    { path: 'usr/share/man/man1/hello.1', content: 'manual' },
    { path: 'usr/share/locale/de/LC_MESSAGES/hello.mo', content: 'hallo' },
    { path: 'usr/share/locale/pt_BR/LC_MESSAGES/hello.mo', content: 'olá' },
    { path: 'usr/share/Főtanúsítvány', content: 'name', mtime: 1_500_000_000 },
  ],
}

/** Version 2 has another file in place of `old`. */
export function helloData(version: '1.0' | '2.0'): DebSpec {
  const name = version === '1.0' ? 'old' : 'new'
  const entries = [...folders('usr', 'usr/share', 'usr/share/hello-data'), file('usr/share/hello-data/common', version)]
  const own = { path: `usr/share/hello-data/${name}/` }
  return { name: 'hello-data', version, entries: [...entries, own, file(`${own.path}${name}`, version)] }
}

export function file(path: string, content = path): DebEntry {
  return { path, content }
}

export const packages: readonly DebSpec[] = [
  hello,
  helloData('1.0'),
  { name: 'hello-extra', entries: [file('usr/share/hello-extra', 'extra')] },
  { name: 'needy', fields: ['Depends: nothing-has-it, hello (>= 9)'] },
  { name: 'rival', fields: ['Depends: hello-data'], entries: [file('usr/share/hello-data/common', 'mine')] },
  {
    name: 'heir',
    fields: ['Depends: hello-data', 'Replaces: hello-data'],
    entries: [file('usr/share/hello-data/common', 'mine')],
  },
  { name: 'stranger', entries: [{ ...file('srv/strange'), uid: 4_000_000 / 2 }] },
  { name: 'device', entries: [{ path: 'srv/null', device: true }] },
  { name: 'climber', entries: [file('../../../../tmp/climbed')] },
  { name: 'trapper', entries: [{ path: 'srv/out', link: '/etc' }, file('srv/out/trapped', 'inside')] },
]

/** The scene of one test file, in its own folder. */
export interface AptScene extends AsyncDisposable {
  readonly folder: string
  readonly key: DebKey
  readonly repository: DebRepository
  /** Options that name the repository and its key. */
  readonly sources: AptOptions
}

export async function aptScene(folder: string, specs: readonly DebSpec[] = packages): Promise<AptScene> {
  const key = await debKey(join(folder, 'key'))
  const repository = await debRepository(join(folder, 'repository'), specs, { key })
  const sources = { source: [repository.source], keyring: key.keyring, progress: 'none' } as const
  return { folder, key, repository, sources, [Symbol.asyncDispose]: () => key[Symbol.asyncDispose]() }
}

/** Commits with a fixed time, and gives the image's ID. */
export async function imageOf(c: Container): Promise<string> {
  const { id } = await c.commit(undefined, { timestamp: 1_700_000_000, progress: 'none', ...places })
  return id
}

export type From = typeof from
export { RunError }

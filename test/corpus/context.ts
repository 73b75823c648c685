import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/** The time of every file of the context: 2001-02-03 04:05:06 UTC, in seconds since 1970. */
export const contextTime = 981173106

/** Makes the one folder that all Containerfiles of the corpus are built in. */
export function makeContext(folder: string): void {
  for (const name of ['dir/sub', 'dir/empty', 'glob', 'links', 'deep/er/est', 'with space', 'pivot/a/b'])
    mkdirSync(join(folder, name), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  for (const [name, mode] of Object.entries(modes)) chmodSync(join(folder, name), mode)
  symlinkSync('../a.txt', join(folder, 'links/to-file'))
  symlinkSync('../dir', join(folder, 'links/to-dir'))
  symlinkSync('nowhere', join(folder, 'links/dangling'))
  symlinkSync('one.txt', join(folder, 'dir/link'))
  linkSync(join(folder, 'dir/one.txt'), join(folder, 'dir/hard'))
  execFileSync('setfattr', ['-n', 'user.colour', '-v', 'green', join(folder, 'glob/a1.c')])
  makeArchives(folder)
  setTimes(folder)
}

const files: Readonly<Record<string, string>> = {
  'a.txt': 'a\n',
  'b.txt': 'b\n',
  'run.sh': '#!/bin/sh\necho ran "$@" >> /ran\n',
  'secret.txt': 'hush\n',
  'dir/one.txt': 'one\n',
  'dir/two.md': 'two\n',
  'dir/.hidden': 'hidden\n',
  'dir/sub/deep.txt': 'deep\n',
  'dir/sub/note.log': 'note\n',
  'glob/a1.c': 'a1\n',
  'glob/a2.c': 'a2\n',
  'glob/b1.h': 'b1\n',
  'deep/er/est/file': 'deepest\n',
  'with space/a b.txt': 'space\n',
  'pivot/a/b/c.txt': 'pivot\n',
  'set-uid': 'suid\n',
}

const modes: Readonly<Record<string, number>> = {
  'a.txt': 0o644,
  'b.txt': 0o600,
  'run.sh': 0o755,
  dir: 0o755,
  'dir/sub': 0o750,
  'dir/two.md': 0o640,
  'set-uid': 0o4755,
}

/** One tree, with owners of its own, in the forms that ADD knows. */
function makeArchives(folder: string): void {
  const form = ['--sort=name', '--format=gnu', '--owner=5', '--group=6', '--numeric-owner', `--mtime=@${contextTime}`]
  for (const [suffix, flag] of [
    ['tar', '-c'],
    ['tar.gz', '-cz'],
    ['tar.bz2', '-cj'],
    ['tar.xz', '-cJ'],
  ] as const)
    execFileSync('tar', ['-C', folder, ...form, flag, '-f', join(folder, `archive.${suffix}`), 'glob', 'deep'])
  execFileSync('cp', [join(folder, 'archive.tar.gz'), join(folder, 'no-suffix')])
}

/** Gives every file below a folder the one time. */
export function setTimes(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) setTimes(path)
    else if (entry.isSymbolicLink()) lutimesSync(path, contextTime, contextTime)
    else utimesSync(path, contextTime, contextTime)
  }
  utimesSync(folder, contextTime, contextTime)
}

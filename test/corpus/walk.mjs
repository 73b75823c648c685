// `node walk.mjs < LINES` reads lines `NAME PATH` and prints, for each, the tree below the path as JSON: names, kinds,
// modes, owners, times, extended attributes and content, as the namespace that it runs in sees them.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

const lines = readFileSync(0, 'utf8').trim().split('\n')
const trees = lines.map((line) => [line.split(' ')[0], treeOf(line.slice(line.indexOf(' ') + 1))])
console.log(JSON.stringify(Object.fromEntries(trees)))

function treeOf(root) {
  const tree = {}
  const inodes = new Map()
  const attributes = attributesBelow(root)
  walk('')
  return tree

  function walk(path) {
    const at = join(root, path)
    const info = lstatSync(at)
    const first = info.isFile() && info.nlink > 1 ? (inodes.get(info.ino) ?? path) : path
    inodes.set(info.ino, first)
    tree[`/${path}`] = {
      ...kindOf(at, info),
      mode: (info.mode & 0o7777).toString(8),
      owner: `${info.uid}:${info.gid}`,
      mtime: Math.floor(info.mtimeMs / 1000),
      ...(first === path ? {} : { hardlink: `/${first}` }),
      ...(attributes[at] ? { xattrs: attributes[at] } : {}),
    }
    if (info.isDirectory()) for (const name of readdirSync(at).sort()) walk(join(path, name))
  }
}

function kindOf(path, info) {
  if (info.isDirectory()) return { kind: 'folder' }
  if (info.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) }
  if (info.isFile()) return { kind: 'file', content: contentOf(readFileSync(path)) }
  return { kind: 'other' }
}

function contentOf(bytes) {
  return bytes.length < 200 ? bytes.toString('latin1') : createHash('sha256').update(bytes).digest('hex')
}

function attributesBelow(root) {
  const text = execFileSync('getfattr', ['-hRPd', '--absolute-names', '-m', '^(user|security)[.]', '-e', 'hex', root], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  const found = {}
  let file = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('# file: ')) file = line.slice(8)
    else if (line !== '') found[file] = [...(found[file] ?? []), line].sort()
  }
  return found
}

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { asBuilderError } from '../errors.js'
import { readFile } from './file-stream.js'
import { broken, collect, missing } from './verify.js'

/** Files by name: a directory, or an archive read in place. Names are relative, with `/`, and come from builder. */
export interface FileTree extends AsyncDisposable {
  /** For messages. */
  readonly name: string
  /** Bytes of a regular file; undefined when there is none of that name. */
  size(path: string): Promise<number | undefined>
  /** Its content. Throws `NOT_FOUND`. */
  stream(path: string): Promise<AsyncIterable<Uint8Array>>
}

/** The content of a small file. Throws `NOT_FOUND`, and `INVALID` when it is larger than `limit` bytes. */
export async function readWhole(tree: FileTree, path: string, limit: number): Promise<Buffer> {
  const size = await tree.size(path)
  if (size === undefined) throw missing(tree.name, `it has no ${path}`)
  if (size > limit) throw broken(tree.name, `${path} has ${size} bytes, more than ${limit}`)
  return collect(await tree.stream(path), limit, `${tree.name} ${path}`)
}

/** The files of a directory. Throws `NOT_FOUND` when it is none. */
export async function directoryTree(directory: string, name: string): Promise<FileTree> {
  const found = await stat(directory).catch(nothing)
  if (!found?.isDirectory()) throw missing(name, found ? 'it is not a directory' : 'there is no such directory')
  const size = async (path: string) => {
    const file = await stat(join(directory, path)).catch(nothing)
    return file?.isFile() ? file.size : undefined
  }
  return {
    name,
    size,
    async stream(path) {
      if ((await size(path)) === undefined) throw missing(name, `it has no ${path}`)
      return readFile(join(directory, path))
    },
    async [Symbol.asyncDispose]() {},
  }
}

function nothing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw asBuilderError(error, 'read image')
}

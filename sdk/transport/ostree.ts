import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BuilderError, RunError } from '../errors.js'
import { archiveName } from './docker-archive.js'
import { layoutSource } from './layout.js'
import { usage } from './location.js'
import type { ImageSource } from './source.js'
import { needTool, runTool, startTool, type Tool, type ToolCall } from './tool.js'
import type { FileTree } from './tree.js'
import { missing } from './verify.js'

/** A branch of an ostree repository that holds an image. */
export interface OstreePlace {
  readonly repository: string
  /** `ociimage/`, then the image's full name, what is no letter, digit, dot or dash written as `_` and its hexadecimal code. */
  readonly branch: string
}

/**
 * `ostree:NAME[:TAG][@/REPOSITORY]`: an image in an ostree repository, `/ostree/repo` when none is named. What is
 * committed is the tree of an OCI image layout, so that manifest, configuration and layers keep their bytes; a layer that
 * several images have is stored once. Throws `UNSUPPORTED` without the ostree command.
 */
export async function ostreeSource(rest: string, name: string): Promise<ImageSource> {
  const place = parseOstree(rest, name)
  const call = { name, operation: 'read image' } as const
  await checkRepository(place, call)
  return layoutSource(await commitTree(place, call), undefined)
}

/** The program of this transport. */
export const ostreeTool: Tool = { program: 'ostree', package: 'ostree' }

/** Reads `NAME[:TAG][@/REPOSITORY]`. Throws `USAGE`. */
export function parseOstree(rest: string, name: string): OstreePlace {
  const at = rest.lastIndexOf('@/')
  const image = at < 0 ? rest : rest.slice(0, at)
  const repository = at < 0 ? '/ostree/repo' : rest.slice(at + 1)
  try {
    const branch = archiveName(image, name).replace(/[^A-Za-z0-9.-]/g, escaped)
    return { repository, branch: `ociimage/${branch}` }
  } catch (error) {
    if (!(error instanceof BuilderError)) throw error
    throw usage(name, error.reason, 'write ostree:NAME:TAG@/REPOSITORY')
  }
}

/** Throws `UNSUPPORTED` without the tool, `NOT_FOUND` without a repository. */
export async function checkRepository({ repository }: OstreePlace, call: ToolCall): Promise<void> {
  needTool([ostreeTool], call)
  const isThere = await stat(join(repository, 'config')).then(
    () => stat(join(repository, 'objects')).then(() => true),
    () => false,
  )
  if (isThere) return
  const hint = `make one with: ostree --repo=${repository} init --mode=archive`
  const reason = `${repository} is not an ostree repository`
  throw new BuilderError('NOT_FOUND', { operation: call.operation, object: call.name, reason, hint })
}

function escaped(character: string): string {
  return `_${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** The files of a commit, each read when it is wanted. */
async function commitTree({ repository, branch }: OstreePlace, call: ToolCall): Promise<FileTree> {
  const { name } = call
  const ostree = ['ostree', `--repo=${repository}`]
  // What the branch is called now may be another commit later.
  const commit = (await runTool([...ostree, 'rev-parse', branch], call).catch((error) => absent(error, name))).trim()
  const sizes = sizesIn(await runTool([...ostree, 'ls', '-R', commit], call))
  return {
    name,
    size: async (path) => sizes.get(path),
    async stream(path) {
      if (!sizes.has(path)) throw missing(name, `it has no ${path}`)
      return printed([...ostree, 'cat', commit, `/${path}`], call)
    },
    async [Symbol.asyncDispose]() {},
  }
}

function absent(error: unknown, name: string): never {
  if (error instanceof RunError && /not found/.test(error.stderr))
    throw missing(name, 'the repository has no image of that name', 'ostree refs lists what it has')
  throw error
}

/** Regular files in what `ostree ls -R` prints: `-00644 0 0   1234 /blobs/sha256/…`. */
function sizesIn(listing: string): ReadonlyMap<string, number> {
  const lines = listing.matchAll(/^-\d+ \d+ \d+ +(\d+) \/(.+)$/gm)
  return new Map([...lines].map(([, size, path]) => [path as string, Number(size)]))
}

async function* printed(argv: readonly string[], call: ToolCall): AsyncGenerator<Uint8Array> {
  await using tool = startTool(argv, call)
  tool.stdin.end()
  yield* tool.stdout
}

import type { GitCommit } from '../transport/git.js'

/** The commits that a build's repositories have: each is asked for once, so that the whole build means the same one. */
export class Commits {
  readonly #known = new Map<string, Promise<GitCommit>>()

  /** Throws what `resolveGit` throws. */
  async of(source: string, checksum: string | undefined, signal: AbortSignal): Promise<string> {
    const key = `${source} ${checksum ?? ''}`
    const ask = async () => {
      const { resolveGit } = await import('../transport/git.js')
      return resolveGit(source, { signal, ...(checksum === undefined ? {} : { checksum }) })
    }
    const asked = this.#known.get(key) ?? ask()
    this.#known.set(key, asked)
    return (await asked).commit
  }
}

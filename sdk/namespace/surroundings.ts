/** What a process has one of only, and a verb reads: its working folder, umask and environment. */
export interface Surrounding {
  readonly cwd: string
  readonly umask: number
  readonly env: Readonly<Record<string, string>>
}

/** That of this process. */
export function ownSurrounding(): Surrounding {
  const env = Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return { cwd: process.cwd(), umask: process.umask(), env: Object.fromEntries(env) }
}

/**
 * Lets an engine work in its callers' surroundings. Work of callers that agree in them goes on side by side.
 */
export class Surroundings {
  #current = ''
  #users = 0
  #waiting: (() => void)[] = []

  /** Makes a caller's surroundings this process's, until the function is called; undefined while others are in use. */
  tryEnter(one: Surrounding): (() => void) | undefined {
    const wanted = JSON.stringify([one.cwd, one.umask, relevant(one.env)])
    if (wanted !== this.#current) {
      if (this.#users > 0 || !surround(one)) return undefined
      this.#current = wanted
    }
    this.#users++
    let isIn = true
    return () => {
      if (isIn && --this.#users === 0) this.#rest()
      isIn = false
    }
  }

  /** As {@link tryEnter}, when the others are done. Throws the system's error for a folder that is gone. */
  async enter(one: Surrounding): Promise<() => void> {
    for (;;) {
      const leave = this.tryEnter(one)
      if (leave) return leave
      if (this.#users === 0) process.chdir(one.cwd)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** A folder that somebody stands in cannot be unmounted. */
  #rest(): void {
    process.chdir('/')
    this.#current = ''
    for (const go of this.#waiting.splice(0)) go()
  }
}

function surround({ cwd, umask, env }: Surrounding): boolean {
  try {
    process.chdir(cwd)
  } catch {
    return false
  }
  process.umask(umask)
  for (const name of Object.keys(process.env)) if (!own.has(name) && !(name in env)) delete process.env[name]
  for (const [name, value] of Object.entries(env)) {
    if (!own.has(name) && process.env[name] !== value) process.env[name] = value
  }
  return true
}

/** What the callers of one script differ in, and no verb reads. */
function relevant(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { _, SHLVL, PWD, OLDPWD, ...rest } = env
  return rest
}

/** What the engine knows of itself. */
const own = new Set(['BUILDER_INSIDE', 'BUILDER_SESSION', 'BUILDER_WARNED'])

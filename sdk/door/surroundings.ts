/** What a verb reads from the process that it is called in. */
export interface Surroundings {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** What crosses to the engine with every call. */
export interface EngineCall {
  readonly args: readonly unknown[]
  readonly surroundings: Surroundings
}

/** Those of this process. The variables are the ones that change what a verb does. */
export function surroundings(): Surroundings {
  const env = Object.entries(process.env).filter(([name, value]) => value !== undefined && matters(name))
  return { cwd: process.cwd(), env: Object.fromEntries(env) as Record<string, string> }
}

/** Makes them those of this process. */
export function surround({ cwd, env }: Surroundings): void {
  if (process.cwd() !== cwd) process.chdir(cwd)
  for (const name of Object.keys(process.env)) if (matters(name) && !(name in env)) delete process.env[name]
  Object.assign(process.env, env)
}

function matters(name: string): boolean {
  return /^(?:BUILDER_|BUILDAH_|SOURCE_DATE_EPOCH$|XDG_|CONTAINERS_|REGISTRY_AUTH_FILE$|HOME$|PATH$)/.test(name)
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { tempDir } from '../../lane.js'

/**
 * A home of the test's own, with files by their path in it, and the process's environment set to it. A user's
 * registries.conf is always there, so that the machine's own files stay out.
 */
export function home(t: TestContext, files: Readonly<Record<string, string | object>> = {}): string {
  const folder = tempDir(t)
  const written = { '.config/containers/registries.conf': '', 'run/.keep': '', ...files }
  for (const [name, content] of Object.entries(written)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true, mode: 0o700 })
    const isScript = typeof content === 'string' && content.startsWith('#!')
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(join(folder, name), text, { mode: isScript ? 0o755 : 0o644 })
  }
  const wanted: Readonly<Record<string, string | undefined>> = {
    HOME: folder,
    XDG_RUNTIME_DIR: join(folder, 'run'),
    XDG_CONFIG_HOME: undefined,
    XDG_CACHE_HOME: undefined,
    REGISTRY_AUTH_FILE: undefined,
    DOCKER_CONFIG: undefined,
    CONTAINERS_REGISTRIES_CONF: undefined,
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
  }
  setVariables(t, wanted)
  return folder
}

/** Sets variables of this process until the test ends. */
export function setVariables(t: TestContext, wanted: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(wanted)) {
    const old = process.env[name]
    set(name, value)
    t.after(() => set(name, old))
  }
}

function set(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}

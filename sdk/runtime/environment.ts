import { BuilderError } from '../errors.js'

/** Where programs are looked for when an image does not say. */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What the environment of a process is made of; what comes later in this list wins. */
export interface EnvironmentParts {
  readonly home: string
  readonly hostname: string
  readonly terminal: boolean
  /** `KEY=VALUE` of the image. */
  readonly image: readonly string[]
  /** Given for this run. */
  readonly run: Readonly<Record<string, string>>
}

/**
 * The environment of a process in a container: PATH, HOSTNAME, HOME from `/etc/passwd`, TERM when there is a
 * terminal, then the image's `Env`, then what was given for the run. Nothing of the host's gets in by itself.
 *
 * Throws `INVALID` for a variable that has no name or holds a NUL byte.
 */
export function containerEnvironment(parts: EnvironmentParts): Record<string, string> {
  const env: Record<string, string> = { PATH: defaultPath, HOSTNAME: parts.hostname, HOME: parts.home }
  if (parts.terminal) env.TERM = 'xterm'
  for (const entry of parts.image) {
    const equals = entry.indexOf('=')
    env[equals < 0 ? entry : entry.slice(0, equals)] = equals < 0 ? '' : entry.slice(equals + 1)
  }
  Object.assign(env, parts.run)
  for (const [name, value] of Object.entries(env))
    if (name === '' || /[=\0]/.test(name) || value.includes('\0')) throw badVariable(name)
  return env
}

/**
 * Reads `--env` values: `KEY=VALUE`, or `KEY` alone for the value that it has in `host`; a key that the host does not
 * have is left out. Throws `USAGE` when there is no key.
 */
export function parseEnv(
  values: readonly string[],
  host: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const env: Record<string, string> = {}
  for (const text of values) {
    const equals = text.indexOf('=')
    const key = equals < 0 ? text : text.slice(0, equals)
    const value = equals < 0 ? host[key] : text.slice(equals + 1)
    if (key === '')
      throw new BuilderError('USAGE', {
        operation: 'read variable',
        object: JSON.stringify(text),
        reason: 'it has no name',
        hint: 'write KEY=VALUE, or KEY to take the value from your environment',
      })
    if (value !== undefined) env[key] = value
  }
  return env
}

function badVariable(name: string): BuilderError {
  return new BuilderError('INVALID', {
    operation: 'set variable',
    object: JSON.stringify(name),
    reason: 'the name is empty, or name or value holds a character that no variable may hold',
    hint: 'check the Env of the image and --env',
  })
}

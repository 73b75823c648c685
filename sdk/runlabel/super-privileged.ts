import { existsSync } from 'node:fs'
import type { RunFlags } from './run-flags.js'

/**
 * The options of a super-privileged run: those of `atomic run --spc`, where nothing else is said. A list has what was given too.
 * Source: atomic(1), "atomic run".
 */
export function superPrivileged<Options extends RunFlags>(image: string, options: Options): Options {
  if (!options.spc) return options
  const name = options.name ?? nameFor(image)
  const clock = existsSync('/etc/localtime') ? ['/etc/localtime:/etc/localtime'] : []
  return {
    interactive: true,
    privileged: true,
    network: 'host',
    ipc: 'host',
    pid: 'host',
    ...options,
    name,
    volume: ['/:/host', '/run:/run', ...clock, ...(options.volume ?? [])],
    env: ['HOST=/host', `NAME=${name}`, `IMAGE=${image}`, ...(options.env ?? [])],
  }
}

/** `quay.io/site/tools:1` is `tools`. */
export function nameFor(image: string): string {
  const last = image
    .replace(/@.*$/, '')
    .replace(/^.*[/]/, '')
    .replace(/:.*$/, '')
  const name = last.replace(/[^A-Za-z0-9_.-]/g, '-').replace(/^[^A-Za-z0-9]+/, '')
  return name.slice(0, 128) || 'container'
}

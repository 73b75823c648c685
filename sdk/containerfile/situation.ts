import type { ExecutionConfig, ImageConfig } from '../image/config.js'
import type { Scope } from './scope.js'

/** What a stage knows when it comes to an instruction. */
export interface Situation {
  readonly config: ImageConfig
  readonly scope: Scope
  /** True when the stage itself has said what CMD is: an ENTRYPOINT then leaves it. */
  readonly hasCommand: boolean
}

/** The environment that instructions and commands see. */
export function envOf(config: ImageConfig): readonly string[] {
  return config.config?.Env ?? []
}

/** The words in front of a command line. Source: Dockerfile reference, SHELL. */
export function shellOf({ Shell }: ExecutionConfig = {}): readonly string[] {
  return Shell && Shell.length > 0 ? Shell : ['/bin/sh', '-c']
}

/** How the field's histories tell what is no command. */
export function nop(said: string): string {
  return `/bin/sh -c #(nop) ${said}`
}

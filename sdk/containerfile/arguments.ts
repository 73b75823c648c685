import { formatPlatform, type Platform } from '../image/platform.js'

/** Values that a build is given from outside. */
export interface BuildArguments {
  /** `--build-arg`, by name. */
  readonly given: ReadonlyMap<string, string>
  readonly platform: Platform
  readonly buildPlatform: Platform
  /** What `TARGETSTAGE` is: the stage that is built. */
  readonly targetStage?: string
}

/** Arguments that every RUN sees when they are given, without an ARG; they are no part of what decides a step's result. */
export const proxyArguments: ReadonlySet<string> = new Set(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
)

/**
 * What a FROM can use, and an ARG without a value takes over: the platform arguments, and of the ARGs before the first FROM
 * those that were declared, with what was given. Source: Dockerfile reference, "Automatic platform ARGs in the global scope".
 */
export function automaticArguments(given: BuildArguments): ReadonlyMap<string, string> {
  const { platform, buildPlatform, targetStage } = given
  const all: [string, string][] = [
    ...platformArguments('TARGET', platform),
    ...platformArguments('BUILD', buildPlatform),
    ['TARGETSTAGE', targetStage ?? 'default'],
  ]
  // Who gives a value to one of them means it, as with any other argument.
  return new Map(all.map(([name, value]) => [name, given.given.get(name) ?? value]))
}

function platformArguments(prefix: string, platform: Platform): [string, string][] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, ''],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ]
}

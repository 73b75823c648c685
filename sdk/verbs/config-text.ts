import type { ImageConfig } from '../image/config.js'
import { type ConfigEdits, pair } from '../image/edit.js'

/** A change of the configuration in the words of a Containerfile, a line each: what a build's history says of the same. */
export function tellConfig(after: ImageConfig, options: TellableEdits): readonly string[] {
  const { Env = [], Cmd = [], Entrypoint = [], Shell = [], Healthcheck } = after.config ?? {}
  const { arg, author, cmd, entrypoint, env, healthcheck, label, onbuild, port, shell, stopSignal } = options
  const { user, volume, workingdir } = options
  const values = new Map(Env.map((entry) => pair(entry)))
  const variables = (env ?? []).map((entry) => pair(entry)[0]).filter((name) => values.has(name))
  const isCleared = entrypoint !== undefined && Cmd.length === 0
  return [
    ...said('ARG', arg?.join(' ')),
    ...said('ENV', variables.map((name) => `${name}=${values.get(name)}`).join(' ')),
    ...said('LABEL', label?.map((one) => pair(one).join('=')).join(' ')),
    ...said('USER', user),
    ...said('WORKDIR', workingdir),
    ...said('EXPOSE', port?.join(' ')),
    ...said('VOLUME', volume && JSON.stringify(volume)),
    ...said('STOPSIGNAL', stopSignal),
    ...said('SHELL', shell && JSON.stringify(Shell)),
    ...said('ENTRYPOINT', entrypoint && JSON.stringify(Entrypoint)),
    ...said('CMD', cmd !== undefined && !isCleared ? JSON.stringify(Cmd) : undefined),
    ...said('HEALTHCHECK', healthcheck && healthText(Healthcheck?.Test ?? [])),
    ...(onbuild ?? []).map((line) => `ONBUILD ${line}`),
    ...said('MAINTAINER', author),
  ]
}

/** What is told; ARGs change nothing. */
export interface TellableEdits extends ConfigEdits {
  readonly arg?: readonly string[]
}

function said(word: string, text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : [`${word} ${text}`]
}

function healthText(test: readonly string[]): string {
  return test[0] === 'NONE' ? 'NONE' : JSON.stringify(test)
}

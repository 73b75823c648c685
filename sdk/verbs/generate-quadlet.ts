import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import type { Deployment } from '../runlabel/deployment.js'
import { quadletUnit, serviceUnit } from '../runlabel/quadlet.js'
import { findProgram } from '../runtime/programs.js'
import { deploymentOf, type GenerateOptions } from './generate-options.js'

/** Options of {@link generateQuadlet}. */
export interface GenerateQuadletOptions extends GenerateOptions {
  /** Have systemd-analyze check it, where that is installed. @negatable */
  verify?: boolean
}

/**
 * Writes a `.container` unit for systemd from an image's run label and configuration.
 *
 * podman 4.4 and newer makes a service of it: put it into /etc/containers/systemd/, or ~/.config/containers/systemd/ as a plain user.
 * Flags that have no key of their own become PodmanArgs. A service is always detached, removed at its end and replaced.
 *
 * Where podman's own generator is installed, that reads the unit; systemd-analyze checks the service that comes of it, or one with
 * the same command line.
 *
 * Throws `NOT_FOUND` for an unknown image or label, `INVALID` for a label that is no run line and for a unit that systemd refuses,
 * `UNSUPPORTED` for what no unit can say.
 *
 * @verb generate quadlet
 * @where outside
 * @stdout The unit.
 * @param image - Name or ID of the image.
 * @param label - The label that runs it. Default: run, where there is one; else the image is run as it is.
 * @example
 * ```sh
 * builder generate quadlet web >~/.config/containers/systemd/web.container
 * ```
 * @example
 * ```ts
 * import { generateQuadlet } from 'builder-sdk'
 * console.log(await generateQuadlet('web'))
 * ```
 */
export async function generateQuadlet(
  image: string,
  label?: string,
  options: GenerateQuadletOptions = {},
): Promise<string> {
  const deployment = await deploymentOf(image, label, options)
  const unit = quadletUnit(deployment)
  if (options.verify ?? true) verify(deployment, unit)
  return unit
}

/** Asks those who will read it. Without them there is nothing to ask: the keys are podman's and the quoting systemd's anyway. */
function verify(deployment: Deployment, unit: string): void {
  const analyze = findProgram('systemd-analyze')
  const quadlet = ['/usr/libexec/podman/quadlet', '/usr/lib/podman/quadlet'].map(findProgram).find(Boolean)
  if (!analyze && !quadlet) return
  const folder = mkdtempSync(join(tmpdir(), 'builder-unit-'))
  try {
    writeFileSync(join(folder, `${deployment.name}.container`), unit)
    const service = quadlet ? generated(quadlet, folder) : serviceUnit(deployment, findProgram('podman') ?? '/bin/true')
    if (!analyze) return
    const file = join(folder, `${deployment.name}.service`)
    writeFileSync(file, service)
    check(spawnSync(analyze, ['verify', '--man=no', file], { encoding: 'utf8', timeout: 60_000 }), folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function generated(quadlet: string, folder: string): string {
  const env = { ...process.env, QUADLET_UNIT_DIRS: folder }
  const done = spawnSync(quadlet, ['--dryrun', '--user'], { encoding: 'utf8', env, timeout: 60_000 })
  check(done, folder)
  return done.stdout.replace(/^---.*---$/gm, '')
}

function check({ status, stderr }: { status: number | null; stderr: string }, folder: string): void {
  const said = stderr.split('\n').filter((line) => line.includes(folder))
  if (status === 0 && said.length === 0) return
  throw new BuilderError('INVALID', {
    operation: 'generate quadlet',
    object: 'the unit',
    reason: `systemd refuses it: ${(said[0] ?? stderr).replaceAll(`${folder}/`, '').trim()}`,
    hint: 'mend the label; --no-verify writes it all the same',
  })
}

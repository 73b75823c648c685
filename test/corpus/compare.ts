import assert from 'node:assert/strict'
import { join } from 'node:path'
import { builder, top } from '../lane.js'
import { contextTime } from './context.js'

/** One file of a tree, as walk.mjs prints it. */
export interface Entry {
  readonly kind: string
  readonly mode: string
  readonly owner: string
  /** Seconds since 1970. */
  readonly mtime: number
  readonly content?: string
  readonly target?: string
  readonly hardlink?: string
  readonly xattrs?: readonly string[]
}

/** One difference of two trees: `PATH: what it is here, what it is there`. */
export interface Difference {
  readonly path: string
  readonly ours: Partial<Entry> | undefined
  readonly theirs: Partial<Entry> | undefined
}

type Tree = Readonly<Record<string, Entry>>

/** The trees of images in a store. */
export async function treesOf(store: string, images: readonly string[]): Promise<Readonly<Record<string, Tree>>> {
  const script = `set -e
    for image; do c=$("$B" from "$image"); echo "$image $("$B" mount "$c")"; done >"$L"
    "$N" "$W" <"$L"`
  const env = {
    B: join(top, 'bin/builder'),
    L: join(store, 'list'),
    N: process.execPath,
    W: join(top, 'test/corpus/walk.mjs'),
  }
  const ran = await builder(['unshare', 'sh', '-c', script, 'sh', ...images], { store, env })
  assert.equal(ran.code, 0, ran.stderr)
  return JSON.parse(ran.stdout)
}

/** What differs between two trees; times count where the context or the base set them. */
export function compared(ours: Tree, theirs: Tree): Difference[] {
  const paths = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort()
  return paths.flatMap((path): Difference[] => {
    const [one, other] = [ours[path], theirs[path]]
    if (!one || !other) return [{ path, ours: one, theirs: other }]
    const keys = (Object.keys({ ...one, ...other }) as (keyof Entry)[]).filter((key) =>
      key === 'mtime' ? isSet(one) || isSet(other) : true,
    )
    const differing = keys.filter((key) => JSON.stringify(one[key]) !== JSON.stringify(other[key]))
    if (differing.length === 0) return []
    const pick = (entry: Entry): Partial<Entry> => Object.fromEntries(differing.map((key) => [key, entry[key]]))
    return [{ path, ours: pick(one), theirs: pick(other) }]
  })
}

/** Set by the tests, not by the clock. */
function isSet({ mtime, kind }: Entry): boolean {
  return kind !== 'folder' && mtime > 0 && mtime <= Math.max(contextTime, 1_000_000_000)
}

/** The part of an image's configuration that a Containerfile decides, without empty fields. */
export async function configOf(store: string, image: string): Promise<Record<string, unknown>> {
  const ran = await builder(['inspect', '--type', 'image', '--format', '{{json .OCIv1}}', image], { store })
  assert.equal(ran.code, 0, ran.stderr)
  const { config = {}, architecture, os, author } = JSON.parse(ran.stdout)
  const { 'io.buildah.version': _, ...labels } = config.Labels ?? {}
  const fields = fieldNames.map((name) => [name, name === 'Labels' ? labels : config[name]] as const)
  const said = fields.filter(([, value]) => value !== null && value !== undefined && !isEmpty(value))
  return { ...Object.fromEntries(said), architecture, os, ...(author ? { author } : {}) }
}

function isEmpty(value: unknown): boolean {
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
}

const fieldNames = [
  'Env',
  'Cmd',
  'Entrypoint',
  'WorkingDir',
  'User',
  'ExposedPorts',
  'Volumes',
  'Labels',
  'StopSignal',
  'Healthcheck',
  'OnBuild',
  'Shell',
]

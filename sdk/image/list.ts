import { BuilderError } from '../errors.js'
import { canonicalJson } from './config.js'
import { type Descriptor, mediaTypes } from './descriptor.js'
import type { Digest } from './digest.js'
import type { Index } from './manifest.js'
import type { ListedPlatform } from './platform.js'

/** What a list says of one of its images, in the words of `builder manifest annotate`. */
export interface MemberEdits {
  readonly arch?: string
  readonly os?: string
  readonly variant?: string
  readonly osVersion?: string
  readonly osFeatures?: readonly string[]
  readonly features?: readonly string[]
  /** `NAME=VALUE` each. */
  readonly annotation?: readonly string[]
}

/** A list without images. Source: OCI image-spec, image-index.md. */
export const emptyList: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }

/** The bytes of a list. */
export function listBytes(list: Index): Uint8Array {
  return new TextEncoder().encode(canonicalJson(list))
}

/** A list with more images; one that it has already is described anew, at its old place. */
export function withMembers(list: Index, members: readonly Descriptor[]): Index {
  const added = new Map(members.map((member) => [member.digest, member]))
  const kept = list.manifests.map((member) => added.get(member.digest) ?? member)
  const known = new Set(kept.map(({ digest }) => digest))
  return { ...list, manifests: [...kept, ...[...added.values()].filter(({ digest }) => !known.has(digest))] }
}

/** A list without one of its images. */
export function withoutMember(list: Index, digest: Digest): Index {
  return { ...list, manifests: list.manifests.filter((member) => member.digest !== digest) }
}

/** Applies edits to the entry of an image; what is not named stays. Throws `USAGE`. */
export function editMember(member: Descriptor, edits: MemberEdits): Descriptor {
  const platform = editPlatform(member.platform, edits)
  const added = (edits.annotation ?? []).map(readAnnotation)
  const annotations = { ...member.annotations, ...Object.fromEntries(added) }
  return {
    ...member,
    ...(platform ? { platform } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  }
}

function editPlatform(platform: ListedPlatform | undefined, edits: MemberEdits): ListedPlatform | undefined {
  const changes = {
    ...(edits.os ? { os: edits.os } : {}),
    ...(edits.arch ? { architecture: edits.arch } : {}),
    ...(edits.variant ? { variant: edits.variant } : {}),
    ...(edits.osVersion ? { 'os.version': edits.osVersion } : {}),
    ...(edits.osFeatures ? { 'os.features': wordsOf(edits.osFeatures) } : {}),
    ...(edits.features ? { features: wordsOf(edits.features) } : {}),
  }
  if (Object.keys(changes).length === 0) return platform
  return { ...(platform ?? { os: 'linux', architecture: 'unknown' }), ...changes }
}

/** `--features a,b` is the same as `--features a --features b`. */
function wordsOf(lists: readonly string[]): readonly string[] {
  return lists.flatMap((text) => text.split(',')).filter(Boolean)
}

function readAnnotation(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new BuilderError('USAGE', {
    operation: 'manifest --annotation',
    object: JSON.stringify(text),
    reason: 'it is not NAME=VALUE',
    hint: 'write for example --annotation org.opencontainers.image.version=1.2',
  })
}

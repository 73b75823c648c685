import { BuilderError } from '../errors.js'

/** Names as GOOS and GOARCH spell them. Source: OCI image-spec, image-index.md, `platform`. */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
}

/** A platform as an entry of an index tells it. Source: OCI image-spec, image-index.md; `features` is Docker's. */
export interface ListedPlatform extends Platform {
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
  readonly features?: readonly string[]
}

/** The platform of this machine. */
export function hostPlatform(): Platform {
  const variant = variants[process.arch]
  return { os: 'linux', architecture: architectures[process.arch] ?? process.arch, ...(variant ? { variant } : {}) }
}

/** Reads `os/arch[/variant]` or a bare `arch`. Throws `USAGE`. */
export function parsePlatform(text: string): Platform {
  const words = text.split('/')
  if (words.length > 3 || words.some((word) => !/^[A-Za-z0-9_.-]+$/.test(word)))
    throw new BuilderError('USAGE', {
      operation: 'read platform',
      object: JSON.stringify(text),
      reason: 'it is not os/arch[/variant]',
      hint: 'write for example linux/arm64',
    })
  const [os, architecture, variant] = words.length === 1 ? ['linux', ...words] : words
  const arch = aliases[architecture as string] ?? (architecture as string)
  return { os: os as string, architecture: arch, ...(variant === undefined ? {} : { variant }) }
}

export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`
}

/** True when what is offered can serve what is wanted: a wanted variant must be the same, an unnamed one may be any. */
export function platformMatches(wanted: Platform, offered: Partial<Platform> | undefined): boolean {
  if (offered?.os !== wanted.os || offered.architecture !== wanted.architecture) return false
  return wanted.variant === undefined || offered.variant === undefined || offered.variant === wanted.variant
}

const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  loong64: 'loong64',
  ppc64: 'ppc64le',
}
const variants: Readonly<Record<string, string>> = { arm: 'v7', arm64: 'v8' }
const aliases: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', armhf: 'arm', i386: '386' }

import { BuilderError } from '../errors.js'
import { hostPlatform, type Platform } from '../image/platform.js'

/**
 * Debian's name of an architecture: of a word that is one, or OCI's; of an image's platform; of this machine. Throws `USAGE`.
 * Source: dpkg-architecture(1); OCI image-spec, config.md, `architecture`.
 */
export function debianArchitecture(
  of: string | Pick<Platform, 'architecture' | 'variant'> | undefined,
  operation: string,
): string {
  const { architecture, variant } = typeof of === 'string' ? platformOf(of) : (of ?? hostPlatform())
  const found = debian[variant === undefined ? architecture : `${architecture}/${variant}`] ?? debian[architecture]
  if (found !== undefined) return found
  if (typeof of === 'string' && Object.values(debian).includes(of)) return of
  throw new BuilderError('USAGE', {
    operation,
    object: `--arch ${architecture}`,
    reason: 'Debian has no such architecture',
    hint: `choose one of ${[...new Set(Object.values(debian))].join(', ')}`,
  })
}

function platformOf(text: string): Pick<Platform, 'architecture' | 'variant'> {
  const [architecture = '', variant] = text.replace(/^linux\//, '').split('/')
  return { architecture, ...(variant === undefined ? {} : { variant }) }
}

const debian: Readonly<Record<string, string>> = {
  amd64: 'amd64',
  arm64: 'arm64',
  arm: 'armhf',
  'arm/v5': 'armel',
  'arm/v6': 'armel',
  'arm/v7': 'armhf',
  386: 'i386',
  loong64: 'loong64',
  mips64le: 'mips64el',
  ppc64le: 'ppc64el',
  riscv64: 'riscv64',
  s390x: 's390x',
}

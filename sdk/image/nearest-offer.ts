import type { Descriptor } from './descriptor.js'
import { formatPlatform, type Platform, platformMatches } from './platform.js'

/**
 * Of the images that an index offers, the one for a platform: the one whose variant is nearest and that comes first; the
 * only one when it names no platform. Undefined when none fits.
 */
export function nearestOffer(offers: readonly Descriptor[], platform: Platform): Descriptor | undefined {
  const [only] = offers
  if (offers.length === 1 && only?.platform === undefined) return only
  const fits = wantedVariants(platform).flatMap((wanted) => offers.filter((it) => platformMatches(wanted, it.platform)))
  return fits.sort((a, b) => distance(platform, a) - distance(platform, b))[0]
}

/** The reason and the hint for an index that has nothing for a platform. */
export function notOffered(offers: readonly Descriptor[], platform: Platform): { reason: string; hint: string } {
  const list = offers.flatMap((it) => (it.platform ? [formatPlatform(it.platform)] : []))
  const reason = `it has no image for ${formatPlatform(platform)}`
  if (list.length > 0) return { reason, hint: `choose one of: ${[...new Set(list)].join(', ')}` }
  return { reason, hint: offers.length > 0 ? 'its index names no platform' : 'its index is empty' }
}

/** A 32-bit Arm machine also runs what was made for its elders. */
function wantedVariants(platform: Platform): readonly Platform[] {
  const version = /^v(\d+)$/.exec(platform.variant ?? '')?.[1]
  if (platform.architecture !== 'arm' || version === undefined) return [platform]
  const elders = Array.from({ length: Math.max(0, Number(version) - 4) }, (_, i) => Number(version) - i)
  return elders.map((v) => ({ ...platform, variant: `v${v}` }))
}

function distance(wanted: Platform, { platform }: Descriptor): number {
  if (platform?.variant === wanted.variant) return 0
  return platform?.variant === undefined ? 2 : 1
}

import { fullVersion, type InstalledPackage } from './installed-package.js'
import { licenseExpression } from './license-expression.js'
import {
  counted,
  type DocumentSource,
  documentTime,
  documentUuid,
  type PackageList,
  webAddress,
} from './package-list.js'

/** A component of a CycloneDX document. */
export interface CycloneDxComponent {
  readonly type: 'library' | 'container' | 'operating-system' | 'application'
  readonly 'bom-ref'?: string
  readonly supplier?: { readonly name: string }
  readonly name: string
  readonly version?: string
  readonly description?: string
  readonly licenses?:
    | readonly [{ readonly expression: string }]
    | readonly [{ readonly license: { readonly name: string } }]
  readonly purl?: string
  readonly externalReferences?: readonly { readonly type: 'website'; readonly url: string }[]
  readonly properties?: readonly { readonly name: string; readonly value: string }[]
}

/** A CycloneDX document in JSON. Source: https://cyclonedx.org/docs/1.6/json/ */
export interface CycloneDxDocument {
  readonly $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json'
  readonly bomFormat: 'CycloneDX'
  readonly specVersion: '1.6'
  readonly serialNumber: string
  readonly version: 1
  readonly metadata: {
    readonly timestamp: string
    readonly tools: { readonly components: readonly CycloneDxComponent[] }
    readonly component: CycloneDxComponent
  }
  readonly components: readonly CycloneDxComponent[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

/** The list as a CycloneDX 1.6 document, with the image as what it is about. The same list gives the same one. */
export function asCycloneDx(list: PackageList, source: DocumentSource): CycloneDxDocument {
  const { of } = list
  const root = `${of.type}:${of.id}`
  const components = counted(list).map(([one, count]) => componentOf(one, count))
  const refs = components.flatMap((one) => one['bom-ref'] ?? [])
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${documentUuid(list, 'cyclonedx', source)}`,
    version: 1,
    metadata: {
      timestamp: documentTime(list, source),
      tools: { components: [{ type: 'application', name: 'builder', version: source.version }] },
      component: { type: 'container', 'bom-ref': root, name: of.name, version: of.id },
    },
    components: [...systemOf(list), ...components],
    dependencies: [{ ref: root, dependsOn: refs }],
  }
}

function systemOf({ distribution }: PackageList): readonly CycloneDxComponent[] {
  if (!distribution) return []
  const { id, version, name } = distribution
  const known = { ...(version ? { version } : {}), ...(name ? { description: name } : {}) }
  return [{ type: 'operating-system', 'bom-ref': `system:${id}`, name: id, ...known }]
}

function componentOf(one: InstalledPackage, count: number): CycloneDxComponent {
  const { name, summary, purl } = one
  const [supplier, website] = [one.vendor ?? one.maintainer, webAddress(one.homepage)]
  return {
    type: 'library',
    'bom-ref': count === 1 ? purl : `${purl}#${count}`,
    ...(supplier ? { supplier: { name: supplier } } : {}),
    name,
    version: fullVersion(one),
    ...(summary ? { description: summary } : {}),
    ...(one.license ? { licenses: licensesOf(one.license) } : {}),
    purl,
    ...(website ? { externalReferences: [{ type: 'website' as const, url: website }] } : {}),
    properties: propertiesOf(one),
  }
}

function licensesOf(license: string): NonNullable<CycloneDxComponent['licenses']> {
  const expression = licenseExpression(license)
  return expression === undefined ? [{ license: { name: license } }] : [{ expression }]
}

function propertiesOf(one: InstalledPackage): readonly { readonly name: string; readonly value: string }[] {
  const { type, arch, source, sourceVersion, size, installed, headerDigest } = one
  const values = { type, arch, source, sourceVersion, size, installed, headerDigest }
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name: `builder:package:${name}`, value: `${value}` }],
  )
}

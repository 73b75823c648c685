import { digestOf } from '../image/digest.js'
import { fullVersion, type InstalledPackage } from './installed-package.js'
import { licenseExpression } from './license-expression.js'
import {
  counted,
  type DocumentSource,
  documentTime,
  documentUuid,
  type PackageHolder,
  type PackageList,
  webAddress,
} from './package-list.js'

/** A package of an SPDX document; what nobody knows is `NOASSERTION`. */
export interface SpdxPackage {
  readonly SPDXID: string
  readonly name: string
  readonly versionInfo: string
  readonly supplier?: string
  readonly downloadLocation: 'NOASSERTION'
  readonly filesAnalyzed: false
  readonly homepage?: string
  readonly sourceInfo?: string
  readonly licenseConcluded: 'NOASSERTION'
  readonly licenseDeclared: string
  readonly copyrightText: 'NOASSERTION'
  readonly summary?: string
  readonly primaryPackagePurpose?: 'CONTAINER'
  readonly externalRefs?: readonly {
    readonly referenceCategory: 'PACKAGE-MANAGER'
    readonly referenceType: 'purl'
    readonly referenceLocator: string
  }[]
}

/** An SPDX document in JSON. Source: https://spdx.github.io/spdx-spec/v2.3/ */
export interface SpdxDocument {
  readonly spdxVersion: 'SPDX-2.3'
  readonly dataLicense: 'CC0-1.0'
  readonly SPDXID: 'SPDXRef-DOCUMENT'
  readonly name: string
  readonly documentNamespace: string
  readonly creationInfo: { readonly created: string; readonly creators: readonly string[] }
  readonly packages: readonly SpdxPackage[]
  readonly hasExtractedLicensingInfos?: readonly { readonly licenseId: string; readonly extractedText: string }[]
  readonly relationships: readonly {
    readonly spdxElementId: string
    readonly relationshipType: 'DESCRIBES' | 'CONTAINS'
    readonly relatedSpdxElement: string
  }[]
}

/** The list as an SPDX 2.3 document: the image, and that it contains the packages. The same list gives the same one. */
export function asSpdx(list: PackageList, source: DocumentSource): SpdxDocument {
  const licenses = new Map<string, string>()
  const packages = counted(list).map(([one, count]) => packageOf(one, count, licenses))
  const extracted = [...licenses].map(([licenseId, extractedText]) => ({ licenseId, extractedText }))
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: list.of.name,
    documentNamespace: `https://spdx.org/spdxdocs/builder-${documentUuid(list, 'spdx', source)}`,
    creationInfo: { created: documentTime(list, source), creators: [`Tool: builder-${source.version}`] },
    packages: [holderOf(list.of), ...packages],
    ...(extracted.length > 0 ? { hasExtractedLicensingInfos: extracted } : {}),
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: holderID },
      ...packages.map(({ SPDXID }) => ({
        spdxElementId: holderID,
        relationshipType: 'CONTAINS' as const,
        relatedSpdxElement: SPDXID,
      })),
    ],
  }
}

const holderID = 'SPDXRef-Image'

const unknown = {
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  licenseConcluded: 'NOASSERTION',
  licenseDeclared: 'NOASSERTION',
  copyrightText: 'NOASSERTION',
} as const

function holderOf({ name, id }: PackageHolder): SpdxPackage {
  return { ...unknown, SPDXID: holderID, name, versionInfo: id, primaryPackagePurpose: 'CONTAINER' }
}

function packageOf(one: InstalledPackage, count: number, licenses: Map<string, string>): SpdxPackage {
  const { name, summary, purl } = one
  const [supplier, homepage, sourceInfo] = [supplierOf(one), webAddress(one.homepage), sourceInfoOf(one)]
  return {
    ...unknown,
    SPDXID: `SPDXRef-${one.type}-${name.replace(/[^A-Za-z0-9.-]/g, '-')}-${shortHash(`${purl} ${count}`)}`,
    name,
    versionInfo: fullVersion(one),
    ...(supplier ? { supplier } : {}),
    ...(homepage ? { homepage } : {}),
    ...(sourceInfo ? { sourceInfo } : {}),
    licenseDeclared: declared(one.license, licenses),
    ...(summary ? { summary } : {}),
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
  }
}

/** What is no expression of listed licenses is a license of this document, with the words of the package as its text. */
function declared(license: string | undefined, licenses: Map<string, string>): string {
  if (license === undefined) return 'NOASSERTION'
  const expression = licenseExpression(license)
  if (expression !== undefined) return expression
  const slug = license.replace(/[^A-Za-z0-9.]+/g, '-').slice(0, 40)
  const id = `LicenseRef-${slug}-${shortHash(license)}`
  licenses.set(id, license)
  return id
}

/** "Person" with the address in brackets, as clause 7.5 has it. */
function supplierOf({ vendor, maintainer }: InstalledPackage): string | undefined {
  if (vendor !== undefined) return `Organization: ${oneLine(vendor)}`
  if (maintainer === undefined) return undefined
  const [, name, address] = /^(.*?)\s*<([^<>]*)>$/.exec(oneLine(maintainer)) ?? []
  return name && address ? `Person: ${name} (${address})` : `Person: ${oneLine(maintainer)}`
}

function sourceInfoOf({ source, sourceVersion, headerDigest }: InstalledPackage): string | undefined {
  const facts = [
    ...(source ? [`built from the source package ${source} ${sourceVersion}`] : []),
    ...(headerDigest ? [`digest of the package's header ${headerDigest}`] : []),
  ]
  return facts.length > 0 ? oneLine(facts.join('; ')) : undefined
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}

function shortHash(text: string): string {
  return digestOf(text).slice('sha256:'.length, 'sha256:'.length + 12)
}

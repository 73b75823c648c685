/**
 * What a document of SPDX 2.3 in JSON has to be, as far as builder writes it: mandatory fields, their forms and no others.
 * No npm package ships the project's own schema; these rules are written from https://spdx.github.io/spdx-spec/v2.3/ .
 */
const id = { type: 'string', pattern: '^SPDXRef-[A-Za-z0-9.-]+$' } as const
const line = { type: 'string', pattern: '^[^\\n]+$' } as const
const noAssertion = { const: 'NOASSERTION' } as const
/** Clause 6.9: whole seconds, UTC. */
const time = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' } as const

/** Clause 7. */
const onePackage = {
  type: 'object',
  additionalProperties: false,
  required: [
    'SPDXID',
    'name',
    'downloadLocation',
    'filesAnalyzed',
    'licenseConcluded',
    'licenseDeclared',
    'copyrightText',
  ],
  properties: {
    SPDXID: id,
    name: line,
    versionInfo: line,
    supplier: { type: 'string', pattern: '^(?:(?:Person|Organization): [^\\n]+|NOASSERTION)$' },
    downloadLocation: noAssertion,
    filesAnalyzed: { const: false },
    homepage: { type: 'string', pattern: '^https?://[^\\s]+$' },
    sourceInfo: { type: 'string' },
    licenseConcluded: noAssertion,
    licenseDeclared: { type: 'string', minLength: 1 },
    copyrightText: noAssertion,
    summary: { type: 'string' },
    primaryPackagePurpose: { const: 'CONTAINER' },
    externalRefs: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['referenceCategory', 'referenceType', 'referenceLocator'],
        properties: {
          referenceCategory: { const: 'PACKAGE-MANAGER' },
          referenceType: { const: 'purl' },
          referenceLocator: { type: 'string', pattern: '^pkg:[a-z]+/\\S+$' },
        },
      },
    },
  },
} as const

/** A JSON schema. */
export const spdxRules = {
  type: 'object',
  additionalProperties: false,
  required: ['spdxVersion', 'dataLicense', 'SPDXID', 'name', 'documentNamespace', 'creationInfo'],
  properties: {
    spdxVersion: { const: 'SPDX-2.3' },
    dataLicense: { const: 'CC0-1.0' },
    SPDXID: { const: 'SPDXRef-DOCUMENT' },
    name: line,
    // Clause 6.5: an absolute address without a fragment.
    documentNamespace: { type: 'string', pattern: '^https?://[^\\s#]+$' },
    creationInfo: {
      type: 'object',
      additionalProperties: false,
      required: ['created', 'creators'],
      properties: {
        created: time,
        // Clause 6.8: a tool's name and version.
        creators: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^Tool: \\S+-\\S+$' } },
      },
    },
    packages: { type: 'array', items: onePackage },
    // Clause 10.
    hasExtractedLicensingInfos: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['licenseId', 'extractedText'],
        properties: {
          licenseId: { type: 'string', pattern: '^LicenseRef-[A-Za-z0-9.-]+$' },
          extractedText: { type: 'string', minLength: 1 },
        },
      },
    },
    // Clause 11.
    relationships: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['spdxElementId', 'relationshipType', 'relatedSpdxElement'],
        properties: {
          spdxElementId: id,
          relationshipType: { enum: ['DESCRIBES', 'CONTAINS'] },
          relatedSpdxElement: id,
        },
      },
    },
  },
} as const

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Node, Project } from 'ts-morph'
import { top } from '../lane.js'
import { read } from './source.js'

const index = 'sdk/index.ts'
const golden = 'test/architecture/surface.txt'

test('the public names are those of the golden file', (_t) => {
  const names = `${publicExports()
    .map(({ name, kind }) => `${name} ${kind}`)
    .sort()
    .join('\n')}\n`
  // `BUILDER_UPDATE_GOLDEN=1 npm test -- surface` writes the file; the difference is what a reviewer reads.
  if (process.env.BUILDER_UPDATE_GOLDEN) writeFileSync(join(top, golden), names)
  assert.equal(names, read(golden))
})

test('index.ts names every export, and exports nothing else', (_t) => {
  assert.doesNotMatch(read(index), /export (?:\* from|default)/)
})

test('every public name is documented', (_t) => {
  const bare = publicExports().filter(({ description }) => description === '')
  assert.deepEqual(bare.map(titleOf), [])
})

test('every public function, class and value is shown in an example', (_t) => {
  const unseen = publicExports().filter(({ isValue, examples }) => isValue && examples === 0)
  assert.deepEqual(unseen.map(titleOf), [])
})

interface PublicExport {
  readonly name: string
  readonly kind: string
  readonly file: string
  readonly isValue: boolean
  readonly description: string
  readonly examples: number
}

let cached: PublicExport[] | undefined

function publicExports(): PublicExport[] {
  if (cached) return cached
  const project = new Project({ tsConfigFilePath: join(top, 'tsconfig.json'), skipAddingFilesFromTsConfig: true })
  const declared = [...project.addSourceFileAtPath(join(top, index)).getExportedDeclarations()]
  cached = declared.map(([name, [node]]) => {
    // A `const` has its comment on the statement around it.
    const owner = Node.isVariableDeclaration(node) ? node.getVariableStatement() : node
    const docs = owner && Node.isJSDocable(owner) ? owner.getJsDocs() : []
    return {
      name,
      kind: node?.getKindName().replace(/Declaration$/, '') ?? 'unknown',
      file:
        node
          ?.getSourceFile()
          .getFilePath()
          .slice(top.length + 1) ?? index,
      isValue: !Node.isInterfaceDeclaration(node) && !Node.isTypeAliasDeclaration(node),
      description: docs.map((doc) => doc.getDescription().trim()).join(''),
      examples: docs.flatMap((doc) => doc.getTags()).filter((tag) => tag.getTagName() === 'example').length,
    }
  })
  return cached
}

function titleOf({ name, file }: PublicExport): string {
  return `${name} (${file})`
}

// Begins a layer, fills it, and waits to be killed.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beginLayer } from '../../sdk/store/layers.js'

const root = process.argv[2] ?? ''
const { diff } = await beginLayer({ root, runroot: root })
mkdirSync(join(diff, 'a/b'), { recursive: true })
writeFileSync(join(diff, 'a/b/file'), 'x')
console.log('begun')
for await (const _ of process.stdin);

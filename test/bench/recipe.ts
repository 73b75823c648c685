/** The same 13 verbs as a TypeScript script, a whole process. */
import { join } from 'node:path'
import { from } from 'builder-sdk'

const folder = process.argv[2] ?? '.'
const c = await from('scratch')
await c.config({ env: ['A=1'] })
await c.config({ label: ['l=1'] })
await c.config({ workingdir: '/' })
await c.copy(join(folder, 'sh'), '/bin/sh')
await c.copy(join(folder, 'page'), '/page')
for (const i of [1, 2, 3, 4, 5]) await c.run(['/bin/sh', '-c', `echo ${i} >/file${i}`], { quiet: true })
await c.config({ cmd: ['/bin/sh'] })
await c.config({ port: ['80'] })
await c.commit('recipe', { rm: true })

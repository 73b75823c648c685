/** A process that mounts or uses a container, says so, and goes on when it is told to: `mounts-child.js use|mount ROOT RUNROOT ID`. */
import { mountForUser, unmountForUser, useRoot } from '../../sdk/store/mounts.js'
import { openStore } from '../../sdk/store/store.js'

const [what, root = '', runroot = '', id = ''] = process.argv.slice(2)
const store = await openStore({ root, runroot })
const used = what === 'use' ? await useRoot(store, id) : undefined
if (what === 'mount') await mountForUser(store, id)
console.log('mounted')
await new Promise((resolve) => process.stdin.once('data', resolve).once('end', resolve))
await used?.[Symbol.asyncDispose]()
if (what === 'mount') await unmountForUser(store, id)
process.exit()

/** A script that uses an engine and says its pid: `engine-script.js end|exit|throw|hang`. */
import { fileURLToPath } from 'node:url'
import { sharedEngine } from '../../sdk/namespace/engine.js'

const engine = await sharedEngine({ entry: fileURLToPath(new URL('./engine-child.js', import.meta.url)) })
await engine.call('print', undefined)
console.log(engine.pid)
if (process.argv[2] === 'exit') process.exit(3)
if (process.argv[2] === 'throw') throw new Error('thrown')
if (process.argv[2] === 'hang') void engine.call('wait', undefined)

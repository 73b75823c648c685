// A script that uses an engine: `node serve-engine-script.js WHAT`. Prints the engine's pid, then how it went.
import { fileURLToPath } from 'node:url'
import { sharedEngine } from '../../sdk/namespace/engine.js'

const entry = fileURLToPath(new URL('serve-engine-entry.js', import.meta.url))
const engine = await sharedEngine({ entry })
console.log(engine.pid)
const code = (error: unknown) => (error as { code?: string }).code

switch (process.argv[2]) {
  case 'idle':
    break
  case 'killed-engine': {
    const call = engine.call('wait', {})
    process.kill(engine.pid, 'SIGKILL')
    console.log(await call.catch(code), await (await sharedEngine({ entry })).call('echo', 'again'))
    break
  }
  case 'dispose': {
    const call = engine.call('wait', {}).catch(code)
    await engine[Symbol.asyncDispose]()
    console.log(await call, await engine.call('echo', {}).catch(code))
    break
  }
}

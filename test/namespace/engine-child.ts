/** The engine's side of engine.test.ts. */
import { BuilderError } from '../../sdk/errors.js'
import { serveEngine } from '../../sdk/namespace/engine.js'

serveEngine(async (method, args, { signal }) => {
  if (method === 'whoami') return [process.geteuid?.(), process.pid]
  if (method === 'print') console.log('from the engine')
  if (method === 'die') process.kill(process.pid, 'SIGKILL')
  if (method === 'fail')
    throw new BuilderError('NOT_FOUND', args as { operation: string; object: string; reason: string })
  if (method === 'wait') {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    throw new BuilderError('ABORTED', { operation: 'wait', object: '', reason: 'stopped before it was done' })
  }
  return args
})

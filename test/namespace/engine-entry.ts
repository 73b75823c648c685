// An engine for the tests of the engine: its methods do what a method could do wrong.
import { BuilderError } from '../../sdk/errors.js'
import { serveEngine } from '../../sdk/namespace/engine.js'

serveEngine(async (method, args, { signal, emit }) => {
  switch (method) {
    case 'echo':
      return args
    case 'ids':
      return { uid: process.getuid?.(), parent: process.ppid }
    case 'count':
      for (let i = 1; i <= 3; i++) emit({ i })
      return 'done'
    case 'fail':
      throw new BuilderError('EXISTS', { operation: 'make', object: 'it', reason: 'it is there', hint: 'take another' })
    case 'function':
      return () => {}
    case 'wait':
      return until(signal)
    case 'deaf':
      return new Promise(() => setInterval(() => {}, 1000))
    case 'exit':
      return process.exit(3)
  }
})

async function until(signal: AbortSignal): Promise<void> {
  const timer = setInterval(() => {}, 1000)
  try {
    await new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  } finally {
    clearInterval(timer)
  }
}

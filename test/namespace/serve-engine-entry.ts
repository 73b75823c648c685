// An engine for the tests of the engine: its methods do what a method could do wrong.
import { serveEngine } from '../../sdk/namespace/engine.js'

serveEngine(async (method, args, { signal, emit }) => {
  switch (method) {
    case 'echo':
      return args
    case 'count':
      for (let i = 1; i <= 3; i++) emit({ i })
      return 'done'
    case 'function':
      return () => {}
    case 'wait':
      return until(signal)
    case 'deaf':
      return new Promise(() => setInterval(() => {}, 1000))
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

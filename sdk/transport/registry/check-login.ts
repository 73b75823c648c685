import { BuilderError } from '../../errors.js'
import type { Credentials, Endpoint } from './access.js'
import { openRegistry } from './client.js'
import { discard } from './exchange.js'
import { HttpStatus } from './failure.js'

/**
 * Whether a registry takes a login, as `GET /v2/` tells (distribution-spec, Determining Support), with the token server that
 * it names. Throws `NETWORK` when it cannot be reached, `DENIED` when it refuses, `INVALID` and `UNSUPPORTED` when it does not behave like a registry.
 */
export async function checkLogin(endpoint: Endpoint, credentials: Credentials, signal?: AbortSignal): Promise<boolean> {
  const patience = { attempts: 2, stall: 30_000 }
  const client = await openRegistry(endpoint, { credentials, patience, ...(signal ? { signal } : {}) })
  const task = { operation: 'log in to', object: endpoint.host }
  try {
    const answer = await client.call({ ...task, method: 'GET', path: '/v2/', actions: 'login', expect: [200] })
    await discard(answer, patience.stall)
    return true
  } catch (error) {
    const status = statusOf(error)
    if (status === 400 || status === 401 || status === 403) return false
    if (status === undefined || status >= 500) throw error
    throw new BuilderError('UNSUPPORTED', {
      ...task,
      reason: `GET /v2/ answers ${status}`,
      hint: 'check that it is a registry (OCI distribution)',
    })
  } finally {
    client.close()
  }
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpStatus) return error.status
  return error instanceof Error ? statusOf(error.cause) : undefined
}

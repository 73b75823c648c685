import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A wire between builder and a registry, for those who want to cut it. */
export interface Wire extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  /** Connections so far. */
  readonly connections: number
  /** Bytes that went to the registry and came from it. */
  readonly sent: number
  readonly received: number
}

/** How many bytes a connection lets through in either direction before it is cut; the rest of them are not cut. */
export interface Cut {
  readonly up?: number
  readonly down?: number
}

/** Starts one. `cutOf` is asked for every connection, by its number from 0. */
export async function startWire(target: string, cutOf: (connection: number) => Cut | undefined): Promise<Wire> {
  const [, port = ''] = target.split(':')
  const sockets = new Set<Socket>()
  const count = { connections: 0, sent: 0, received: 0 }
  const server = createServer((near) => {
    const cut = cutOf(count.connections++) ?? {}
    const far = connect(Number(port), '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    const carry = (from: Socket, to: Socket, most: number, tell: (size: number) => void) => {
      let left = most
      from.on('data', (chunk) => {
        const part = chunk.subarray(0, left)
        left -= part.length
        tell(part.length)
        to.write(part, () => left === 0 && from.destroy())
      })
    }
    carry(near, far, cut.up ?? Number.POSITIVE_INFINITY, (size) => {
      count.sent += size
    })
    carry(far, near, cut.down ?? Number.POSITIVE_INFINITY, (size) => {
      count.received += size
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return count.connections
    },
    get sent() {
      return count.sent
    },
    get received() {
      return count.received
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

import { constants, existsSync, openSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { BuilderError } from '../errors.js'
import type { Engine } from './engine.js'
import { Calls } from './engine-calls.js'
import type { Channel } from './engine-messages.js'
import { isOwn } from './run-directory.js'
import { decodeMessages, encodeMessage, isServing } from './session-messages.js'

/**
 * The engine of the session that this process was started in: the same one for every call, over a place in its folder
 * (see session-slot.ts) that this process keeps. Undefined when there is no such session, or not this user's.
 */
export function joinSession(folder: string | undefined): Engine | undefined {
  if (joined && joined.folder === folder && joined.channel.isOpen) return joined.engine
  joined = undefined
  if (!folder || !isOwn(join(folder, 'engine')) || !isServing(folder)) return undefined
  joined = connect(folder)
  return joined?.engine
}

interface Joined {
  readonly folder: string
  readonly channel: Channel
  readonly engine: Engine
}

let joined: Joined | undefined

function connect(folder: string): Joined | undefined {
  const place = takePlace(folder)
  if (place === undefined) return undefined
  const down = new Socket({ fd: openSync(`${place}.down`, constants.O_RDONLY | constants.O_NONBLOCK), writable: false })
  const up = new Socket({ fd: openSync(`${place}.up`, constants.O_WRONLY | constants.O_NONBLOCK), readable: false })
  const channel = channelOf(up, down)
  const pid = Number(folder.slice(folder.lastIndexOf('/') + 1))
  const calls = new Calls(channel, () => died(pid))
  decodeMessages(down, (reply) => calls.answer(reply as Parameters<Calls['answer']>[0]))
  for (const stream of [up, down]) stream.on('error', () => {})
  down.on('close', () => calls.failAll())
  up.write('call\n')
  calls.keepAlive()
  const engine: Engine = {
    pid,
    call: (method, args, options = {}) => calls.start(method, args, options),
    path: (inside) => `/proc/${pid}/root${inside}`,
    async [Symbol.asyncDispose]() {
      up.destroy()
      down.destroy()
    },
  }
  return { folder, channel, engine }
}

/** The first place that nobody has: to make a file that must not be there is one step. */
function takePlace(folder: string): string | undefined {
  for (let number = 1; existsSync(join(folder, `${number}.up`)); number++) {
    try {
      writeFileSync(join(folder, `${number}.taken`), `${process.pid}\n`, { flag: 'wx' })
      return join(folder, `${number}`)
    } catch {
      // Somebody has it.
    }
  }
  return undefined
}

function channelOf(up: Socket, down: Socket): Channel {
  return {
    get isOpen() {
      return !down.destroyed && !down.readableEnded && !up.destroyed
    },
    send: (request, failed) => up.write(encodeMessage(request), (error) => error && failed()),
    hold(isHeld) {
      for (const stream of [up, down]) isHeld ? stream.ref() : stream.unref()
    },
  }
}

function died(pid: number): BuilderError {
  const reason = "the session's engine ended before it answered"
  const hint = 'call again; builder check tells whether the store is whole'
  return new BuilderError('SYSTEM', { operation: 'call engine', object: `process ${pid}`, reason, hint })
}

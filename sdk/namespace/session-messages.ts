import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { deserialize, serialize } from 'node:v8'
import { isAlive } from './process.js'

/** A message as a line: structured clone, as between processes of Node, in base64. Throws for what cannot be copied. */
export function encodeMessage(message: unknown): string {
  return `${serialize(message).toString('base64')}\n`
}

/** Calls back for each message of a stream of lines. */
export function decodeMessages(stream: Readable, take: (message: unknown) => void): void {
  let rest = ''
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(deserialize(Buffer.from(line, 'base64')))
  })
}

/** Whether a session's folder has a living engine. */
export function isServing(folder: string): boolean {
  try {
    const [pid = '0', startTime = '', bootID = ''] = readFileSync(join(folder, 'engine'), 'latin1').trim().split(' ')
    return isAlive({ pid: Number(pid), startTime, bootID })
  } catch {
    return false
  }
}

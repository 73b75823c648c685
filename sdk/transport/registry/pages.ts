import { parseJson } from '../../image/config.js'
import { broken, collect } from '../verify.js'
import type { RegistryClient } from './client.js'
import { type Answer, bodyOf, discard } from './exchange.js'
import { connectionFailure, type Task } from './failure.js'
import { patiently } from './patience.js'

/** A page of a list: its JSON and what the registry said about it. */
export interface Page {
  readonly value: Readonly<Record<string, unknown>>
  readonly headers: Answer['headers']
}

/**
 * The pages of a list, each named by the one before (distribution-spec, "Content Discovery"; RFC 8288); undefined when the
 * registry has no such list. Throws `INVALID` for pages that lead elsewhere or have no end.
 */
export async function readPages(
  client: RegistryClient,
  path: string,
  task: Task,
): Promise<readonly Page[] | undefined> {
  const pages: Page[] = []
  let next: string | URL | undefined = path
  while (next !== undefined) {
    const page: { readonly value: Page['value']; readonly answer: Answer } | undefined = await readPage(
      client,
      next,
      task,
    )
    if (page === undefined) return pages.length === 0 ? undefined : pages
    pages.push({ value: page.value, headers: page.answer.headers })
    if (pages.length > mostPages) throw broken(task.object, `its list has more than ${mostPages} pages`)
    next = nextOf(page.answer, task)
  }
  return pages
}

const mostPages = 2000
const pageLimit = 8 * 1024 * 1024

async function readPage(client: RegistryClient, path: string | URL, task: Task) {
  const { patience, signal } = client
  return patiently(
    async () => {
      const answer = await client.call({ ...task, method: 'GET', path, actions: 'pull', expect: [200, 404] })
      if (answer.status === 404) return void (await discard(answer, patience.stall))
      const bytes = await collect(bodyOf(answer, patience.stall), pageLimit, `${task.object}, its list`).catch(
        (error) => {
          throw connectionFailure(error, answer.url.host, task, patience.stall)
        },
      )
      const value = parseJson(bytes, `${task.object}, its list`)
      if (typeof value !== 'object' || value === null) throw broken(task.object, 'its list is not a JSON object')
      return { value: value as Page['value'], answer }
    },
    patience,
    signal,
  )
}

function nextOf({ headers, url }: Answer, task: Task): URL | undefined {
  const link = [headers.link ?? ''].flat().join(', ')
  const target = /<([^>]*)>\s*;[^<]*\brel="?next"?/.exec(link)?.[1]
  if (target === undefined) return undefined
  const next = URL.canParse(target, url.href) ? new URL(target, url) : undefined
  if (next?.origin === url.origin && next.href !== url.href) return next
  throw broken(task.object, 'the next page of its list is at another registry, or is the same again')
}

/** Containerfiles beside buildah, podman and BuildKit; the last needs root, for its engine is started here. */
import { copyFileSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startEngine } from '../transport/engine.js'
import { type Prepared, pair, type Row, type Work } from './pair.js'
import { call, makeTree, newPlace, type Place } from './places.js'
import { TimedShell } from './timed-shell.js'

/** A tool that builds: the words of a build without a cache, and of one that uses and fills it. */
interface Tool {
  readonly name: string
  readonly fresh: readonly string[]
  readonly cached: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/** A folder to build in, and what is said of it. */
interface Task {
  readonly work: string
  readonly context: string
  readonly runs: number
  readonly peers: readonly string[]
  readonly aims?: { readonly fresh?: string; readonly cached?: string; readonly session?: string }
  readonly isCached: boolean
}

export async function measure(): Promise<readonly Row[]> {
  const place = newPlace()
  const isRoot = process.getuid?.() === 0
  await using engine = isRoot ? await startEngine('overlay2') : undefined
  try {
    const tools = [buildah(place), podman(place), ...(engine ? [buildKit(place, engine.host)] : [])]
    const own = builder(place)
    const base = makeBase(place)
    for (const tool of [own, ...tools]) build(tool, tool.cached, base, 'base')
    const rows: Row[] = []
    for (const task of tasks(place)) rows.push(...(await measureTask(task, own, tools, place)))
    return rows
  } finally {
    place.remove()
  }
}

async function measureTask(task: Task, own: Tool, tools: readonly Tool[], place: Place): Promise<readonly Row[]> {
  const { work, context, runs, aims = {} } = task
  const rows: Row[] = []
  const row = async (what: string, ours: Work, peer: Tool, its: Work, aim?: string) => {
    const measured = await pair(ours, its, runs)
    rows.push({ work: `${work}, ${what}`, peer: peer.name, ...measured, ...(aim ? { aim } : {}) })
  }
  const peers = tools.filter(({ name }) => task.peers.includes(name))
  const once = (tool: Tool, words: readonly string[]) => async () => build(tool, words, context, 'made')
  for (const peer of peers) await row('uncached', once(own, own.fresh), peer, once(peer, peer.fresh), aims.fresh)
  if (!task.isCached) return rows
  for (const peer of peers) {
    build(peer, peer.cached, context, 'made')
    build(own, own.cached, context, 'made')
    await row('cached', once(own, own.cached), peer, once(peer, peer.cached), aims.cached)
    const inside = await inSession(own, context, place)
    await row('cached, in a session', inside, peer, once(peer, peer.cached), aims.session)
    await inside.end()
  }
  return rows
}

/** The same build, timed by a shell that stays in a session. */
async function inSession({ cached }: Tool, context: string, place: Place) {
  const shell = await TimedShell.start([place.ours[0] ?? '', 'unshare'], place.env)
  const line = [place.ours[0], ...cached.slice(place.ours.length), '-t', 'made', context].join(' ')
  const work: Prepared & { end(): Promise<void> } = { run: () => shell.run(line), end: () => shell.end() }
  return work
}

function build({ env }: Tool, words: readonly string[], context: string, name: string): void {
  call([...words, '-t', name, context], { env })
}

function builder({ ours, env }: Place): Tool {
  return { name: 'builder', fresh: [...ours, 'build', '-q', '--no-cache'], cached: [...ours, 'build', '-q'], env }
}

function buildah({ buildah, env }: Place): Tool {
  const words = [...buildah, 'build', '-q', '--layers']
  return { name: 'buildah', fresh: [...words, '--no-cache'], cached: words, env }
}

function podman({ driver, folder, env }: Place): Tool {
  const at = (name: string) => join(folder, `podman-${name}`)
  const storage = ['--storage-driver', driver, '--root', at('root'), '--runroot', at('run'), '--tmpdir', at('tmp')]
  const words = ['podman', ...storage, '--events-backend', 'none', 'build', '-q', '--isolation', 'chroot']
  return { name: 'podman', fresh: [...words, '--no-cache'], cached: words, env }
}

/** Without a bridge its commands have the host's network, as ours. */
function buildKit({ env }: Place, host: string): Tool {
  const words = ['/usr/bin/docker', 'build', '-q', '--network', 'host']
  const own = { ...env, DOCKER_HOST: host, DOCKER_BUILDKIT: '1' }
  return { name: 'BuildKit', fresh: [...words, '--no-cache'], cached: words, env: own }
}

function makeBase({ folder }: Place): string {
  const context = join(folder, 'base')
  const bin = join(context, 'rootfs/bin')
  mkdirSync(bin, { recursive: true })
  copyFileSync('/bin/busybox', join(bin, 'busybox'))
  for (const name of ['cat', 'echo', 'sh', 'sleep', 'true']) symlinkSync('busybox', join(bin, name))
  writeFileSync(join(context, 'Containerfile'), 'FROM scratch\nCOPY rootfs /\nENV PATH=/bin\n')
  copyFileSync(join(context, 'Containerfile'), join(context, 'Dockerfile'))
  return context
}

function tasks(place: Place): readonly Task[] {
  const all = ['buildah', 'podman', 'BuildKit']
  const two = ['buildah', 'BuildKit']
  const megabytes = Number(process.env.BENCH_MEGABYTES ?? 500)
  return [
    {
      work: '13 lines, two stages of 1 s',
      context: task(place, 'stages', stages, (context) => writeFileSync(join(context, 'page'), 'page\n')),
      ...{ runs: 5, peers: all, isCached: true, aims: { fresh: '1.3 s', cached: '0.15 s', session: '0.01 s' } },
    },
    {
      work: '100 small RUNs',
      context: task(place, 'hundred', `FROM base\n${'RUN echo x >> /x\n'.repeat(100)}`, () => {}),
      ...{ runs: 1, peers: two, isCached: true },
    },
    {
      work: `COPY ${megabytes} MB in ${megabytes * 40} files`,
      context: task(place, 'copy', 'FROM base\nCOPY tree /tree\n', (context) =>
        makeTree(join(context, 'tree'), megabytes * 40, megabytes * 1e6),
      ),
      ...{ runs: 3, peers: two, isCached: true },
    },
    {
      work: `COPY 1 MB of a context of ${megabytes * 4} MB`,
      context: task(place, 'ignored', 'FROM base\nCOPY . /all\n', (context) => ignored(context, megabytes)),
      ...{ runs: 3, peers: two, isCached: true },
    },
  ]
}

const stages = `FROM base AS one
RUN sleep 1; echo 1 > /one
FROM base AS two
RUN sleep 1; echo 2 > /two
FROM base
COPY --from=one /one /one
COPY --from=two /two /two
COPY page /page
RUN cat /one /two > /both
ENV A=1
LABEL l=1
WORKDIR /srv
CMD ["/bin/sh"]
`

function task({ folder }: Place, name: string, text: string, fill: (context: string) => void): string {
  const context = join(folder, name)
  mkdirSync(context)
  fill(context)
  for (const file of ['Containerfile', 'Dockerfile']) writeFileSync(join(context, file), text)
  return context
}

/** A thousand files of 1 kB beside four big ones and as many again in a folder, which are ignored. */
function ignored(context: string, megabytes: number): void {
  makeTree(join(context, 'kept'), 1000, 1e6)
  makeTree(join(context, 'left'), 4000, 4e6)
  for (let i = 0; i < 4; i++) {
    const file = join(context, `big${i}`)
    writeFileSync(file, '')
    truncateSync(file, megabytes * 1e6)
    utimesSync(file, 0, 0)
  }
  for (const name of ['.dockerignore', '.containerignore']) writeFileSync(join(context, name), 'big*\nleft\n')
}

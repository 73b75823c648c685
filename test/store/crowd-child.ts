// One of many that use a store at once: commits, tags, untags, removes and prunes; says what must be there at the end.
import { createContainer, removeContainer, updateContainer } from '../../sdk/store/containers.js'
import { prune } from '../../sdk/store/garbage.js'
import { addImage, findImage, removeImage, tagImage, untagImage } from '../../sdk/store/images.js'
import { withLock } from '../../sdk/store/locks.js'
import { adopt, manifestOf, scratchConfig, write } from './commit.js'

const [root = '', me = '', rounds = '1'] = process.argv.slice(2)
const store = { root, runroot: root }

for (let round = 0; round < Number(rounds); round++) {
  const container = await createContainer(store, { config: scratchConfig })
  await updateContainer(store, container.id, (it) => ({ ...it, annotations: { by: me } }))
  const image = await withLock(store, 'store', () => commit(container.id, round), { shared: true })
  await tagImage(store, image, 'latest-of-all')
  await tagImage(store, image, `${me}:kept-${round}`)
  await untagImage(store, `${me}:${round}`)
  if (round % 3 === 0) await removeContainer(store, container)
  if (round % 3 === 1) await removeImage(store, await findImage(store, `${me}:kept-${round}`, 'test'))
  else console.log(`image ${me}:kept-${round}`)
  if (round % 3 !== 0) console.log(`container ${container.id}`)
  if (round % 4 === 3) await prune(store)
}

/** Half of what is committed is the same for all. */
async function commit(id: string, round: number) {
  const container = await updateContainer(store, id, (it) => it)
  write(store, container, { file: round % 2 === 0 ? `${round}` : `${me} ${round}` })
  const after = await adopt(store, container)
  const config = { ...after.config, author: `${me} ${round}` }
  return addImage(store, await manifestOf(store, { ...after, config }), [`${me}:${round}`])
}

import { start } from './start.js'
import { table } from './verbs.gen.js'

await start(table)

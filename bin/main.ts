import { runCommandLine } from './command-line.js'
import { table } from './verbs.gen.js'

await runCommandLine(table)

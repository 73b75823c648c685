import { runCommandLine } from './command-line.js'
import { table } from './verbs.gen.js'

void runCommandLine(table)

import { writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { makeFolder } from '../layer/make-folder.js'

/** Writes what a verb made to the file a flag names, making its folder. Throws system errors. */
export async function writeResult(file: string, text: string): Promise<void> {
  await makeFolder(dirname(resolve(file)))
  await writeFile(file, text)
}

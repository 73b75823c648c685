/** Writes what a verb made to the file a flag names, making its folder. Throws system errors. */
export async function writeResult(file: string, text: string): Promise<void> {
  const { outputFile } = (await import('fs-extra')).default
  await outputFile(file, text)
}

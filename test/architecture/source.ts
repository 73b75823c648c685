/** The project as text: its tracked files, its rooms, who imports whom. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { ts } from 'ts-morph'
import { top } from '../lane.js'

/** Paths from the top of every file that git tracks or would track; without git, of all that .gitignore does not name. */
export function trackedFiles(): string[] {
  if (existsSync(join(top, '.git')))
    try {
      const list = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
      const files = execFileSync('git', list, { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      return files.split('\0').filter((file) => file !== '' && existsSync(join(top, file)))
    } catch {
      // A machine without git has a copy of the files all the same.
    }
  return (readdirSync(top, { recursive: true, withFileTypes: true }) as (import('node:fs').Dirent & { path: string })[])
    .filter((entry) => entry.isFile())
    .map((entry) => relative(top, join(entry.path, entry.name)))
    .filter((file) => !/(^|\/)(node_modules|dist|\.git)\/|\.log$/.test(file))
}

export function read(file: string): string {
  return readFileSync(join(top, file), 'utf8')
}

/** The TypeScript files below a folder, tests and declarations not counted. */
export function sources(folder: string): string[] {
  return trackedFiles().filter(
    (file) => file.startsWith(`${folder}/`) && file.endsWith('.ts') && !file.endsWith('.d.ts'),
  )
}

/** What a file imports, types too: own files as paths from the top, packages by their name. */
export function importsOf(file: string): string[] {
  return ts.preProcessFile(read(file), true, true).importedFiles.map(({ fileName }) => {
    if (!fileName.startsWith('.')) return fileName
    return join(dirname(file), fileName).replace(/\.js$/, '.ts')
  })
}

/** Runs one of node_modules/.bin; gives its output when it fails, and nothing when it is content. */
export function complaints(program: string, args: readonly string[]): string {
  try {
    execFileSync(program, args, { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    return ''
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    return `${stdout}${stderr}` || message
  }
}

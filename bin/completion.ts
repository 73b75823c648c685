import { readFile } from 'node:fs/promises'
import { BuilderError } from '../sdk/errors.js'
import { nearestWords } from '../sdk/image/near-word.js'
import { didYouMean, quoted } from './choose.js'

const shells = ['bash', 'zsh', 'fish']

/** How to load completion, for people. */
export const completionHelp = `Prints the completion script of a shell.

Usage: builder completion bash|zsh|fish

Examples
  bash  builder completion bash >~/.local/share/bash-completion/completions/builder
  zsh   builder completion zsh >"\${fpath[1]}/_builder"
  fish  builder completion fish >~/.config/fish/completions/builder.fish

For the running shell only: source <(builder completion bash)
`

/** The script that makes a shell complete builder's command lines. Throws `USAGE` for a shell there is none for. */
export async function completionScript(words: readonly string[]): Promise<string> {
  const [shell = '', extra] = words
  if (words.includes('--help') || words.includes('-h')) return completionHelp
  if (!shells.includes(shell) || extra !== undefined) throw noShell(extra ?? shell)
  return readScript(`builder.${shell}`)
}

/** The scripts lie in the package's bin/completion, this code in dist/bin, dist/cli or dist/cli/chunks. */
async function readScript(name: string): Promise<string> {
  const near = new URL(`../../bin/completion/${name}`, import.meta.url)
  const far = new URL(`../../../bin/completion/${name}`, import.meta.url)
  return readFile(near, 'utf8').catch(() => readFile(far, 'utf8'))
}

function noShell(word: string): BuilderError {
  const near = nearestWords(word, shells)
  return new BuilderError('USAGE', {
    operation: 'completion',
    object: word === '' ? 'SHELL' : quoted(word),
    reason: word === '' ? 'it is missing' : 'there is no completion for it',
    hint: near.length > 0 ? didYouMean(near) : 'write bash, zsh or fish',
  })
}

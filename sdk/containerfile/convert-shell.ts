import { quoteWord } from '../image/words.js'
import type { Option, Place, Recipe, Statement } from './convert-recipe.js'
import { type Form, ownName, plainText, type Value } from './convert-value.js'

/** Writes a recipe as a bash script. */
export function shellRecipe(recipe: Recipe): string {
  const lines = recipe.statements.flatMap((statement) => linesOf(statement, recipe))
  const removal = removalOf(recipe.containers)
  return [
    '#!/usr/bin/env bash',
    `# Made by builder convert from ${oneLine(recipe.source)}. Prints the image's ID; an argument names the image.`,
    ...(recipe.variables.length > 0 ? [`# Variables of the environment: ${recipe.variables.join(', ')}.`] : []),
    ...(recipe.hasContext
      ? ['# CONTEXT is the folder that files are copied from, by default the one that you are in.']
      : []),
    'set -eo pipefail',
    '# Nothing is asked: an empty standard input is part of what decides a step.',
    'exec </dev/null',
    ...(recipe.hasContext ? [`context=\${CONTEXT-.}`] : []),
    ...(recipe.hasFiles ? ['files=$(mktemp -d)'] : []),
    ...cleaning(recipe, removal),
    ...(recipe.statements.some(({ kind }) => kind === 'own') ? ownFunction : []),
    ...lines,
    '',
    `builder commit -q "$${recipe.target}" \${1+"$1"}`,
    '',
  ].join('\n')
}

function removalOf(containers: readonly string[]): string {
  const [first, ...more] = containers.map((name) => `"$${name}"`)
  const remove = (one: string) => `[ -z ${one} ] || builder rm ${one} >/dev/null`
  if (more.length === 0) return remove(first ?? '')
  return `for one in ${[first, ...more].join(' ')}; do ${remove('"$one"')}; done`
}

function cleaning({ containers, hasFiles }: Recipe, removal: string): readonly string[] {
  const files = hasFiles ? '; rm -rf "$files"' : ''
  return [
    ...containers.map((name) => `${name}=`),
    '# The working containers go, whatever happens; the images stay.',
    `clean() { ${removal}${files}; }`,
    'trap clean EXIT',
  ]
}

const ownFunction = [
  '',
  '# The value of a variable in a container.',
  `own() { builder inspect --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$1" | sed -n "s/^$2=//p"; }`,
]

function oneLine(name: string): string {
  return name.replace(/\p{Cc}/gu, '?')
}

function linesOf(statement: Statement, recipe: Recipe): readonly string[] {
  switch (statement.kind) {
    case 'gap':
      return ['']
    case 'comment':
      return [statement.text]
    case 'argument':
      return argument(statement)
    case 'set':
      return [`${statement.variable}=${word(statement.value)}`]
    case 'own':
      return [`${statement.variable}=$(own "$${statement.container}" ${statement.name})`]
    case 'from': {
      const platform = statement.platform ? ` --platform ${word(statement.platform)}` : ''
      const { base, container } = statement
      const name = base.kind === 'image' ? word(base.name) : `"$(builder commit -q "$${base.container}")"`
      return [`${container}=$(builder from --layers --history${platform} ${name})`]
    }
    case 'file':
      return [`printf %s ${word(statement.content)} >"$files"/${quoteWord(statement.name)}`]
    case 'call': {
      const { verb, container, options, words } = statement
      const quiet = verb === 'copy' || verb === 'add' ? ['-q'] : []
      const flags = options.flatMap((option) => flagsOf(option, verb === 'run' ? undefined : recipe.ignorefile))
      const end = verb === 'run' ? ['--', ...words.map(word)] : words.map(word)
      // What a command prints is no value of the recipe.
      return [
        ['builder', verb, ...quiet, ...flags, `"$${container}"`, ...end, ...(verb === 'run' ? ['>&2'] : [])].join(' '),
      ]
    }
  }
}

function argument({ variable, given, value }: Statement & { readonly kind: 'argument' }): readonly string[] {
  if (!value) return variable === given ? [] : [`[ -z "\${${given}+x}" ] || ${variable}=$${given}`]
  const fallback = `\${${given}-${inQuotes(value, true)}}`
  return [`${variable}=${/^[\w$%+,./:@{}-]*$/.test(fallback) ? fallback : `"${fallback}"`}`]
}

function flagsOf(option: Option, ignorefile: string | undefined): readonly string[] {
  const flag = `--${option.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  switch (option.kind) {
    case 'flag':
      return [option.value ? flag : flag.replace('--', '--no-')]
    case 'one':
      return [flag, word(option.value)]
    case 'list':
      return option.values.flatMap((value) => [flag, word(value)])
    case 'words':
      return [flag, quoteWord(JSON.stringify(option.words))]
    case 'number':
      return [flag, option.value]
    case 'given':
      return option.variables.map(({ name, variable, isSet }) =>
        isSet ? `${flag} ${name}="$${variable}"` : `\${${variable}+${flag} "${name}=$${variable}"}`,
      )
    case 'secrets':
      return option.secrets.map(({ id, variable }) => `\${${variable}+${flag} id=${id},env=${variable}}`)
    case 'place':
      return placeFlags(flag, option.place, ignorefile)
  }
}

function placeFlags(flag: string, place: Place, ignorefile: string | undefined): readonly string[] {
  if (typeof place === 'object') return [flag, `"$${place.container}"`]
  if (place === 'files') return [flag, '"$files"']
  return [
    flag,
    '"$context"',
    ...(ignorefile === undefined ? [] : ['--ignorefile', `"$context"/${quoteWord(ignorefile)}`]),
  ]
}

/** A word of the shell. */
function word(value: Value): string {
  const plain = plainText(value)
  return plain === undefined ? `"${inQuotes(value)}"` : quoteWord(plain)
}

/** In double quotes; `braces` when it also stands in `${…}`, which a brace would end. */
function inQuotes(value: Value, braces = false): string {
  const special = braces ? /[\\"$`}]/g : /[\\"$`]/g
  return value
    .map((part, i) => {
      if (part.kind === 'text') return part.text.replace(special, '\\$&')
      if (part.kind === 'own') return `\\${ownName(part.name, value[i + 1])}`
      if (part.form) return `\${${part.name}${formText(part.form)}}`
      const next = value[i + 1]
      return next?.kind === 'text' && /^[\w[]/.test(next.text) ? `\${${part.name}}` : `$${part.name}`
    })
    .join('')
}

function formText(form: Form): string {
  if ('word' in form) return `${form.sign}${inQuotes(form.word, true)}`
  if ('by' in form) return `${form.sign}${form.pattern}/${inQuotes(form.by, true)}`
  return `${form.sign}${form.pattern}`
}

/** What of the packages' files is left out of an image. */
export interface DebSelection {
  /** Keep documentation, manual pages and the like. Copyright files are always kept. */
  readonly docs: boolean
  /** Languages whose translations are kept, as `de` or `pt_BR`; `all` keeps every one. */
  readonly langs: readonly string[]
}

/** dpkg's own options for a selection. Source: dpkg(1), --path-exclude. */
export function pathOptions({ docs, langs }: DebSelection): readonly string[] {
  const options: string[] = []
  if (!docs) {
    options.push(...docFolders.map((folder) => `--path-exclude=/usr/share/${folder}/*`))
    options.push('--path-include=/usr/share/doc/*/copyright')
  }
  if (langs.includes('all')) return options
  options.push('--path-exclude=/usr/share/locale/*', '--path-include=/usr/share/locale/locale.alias')
  for (const lang of langs)
    options.push(`--path-include=/usr/share/locale/${lang}/*`, `--path-include=/usr/share/locale/${lang}[_@]*/*`)
  return options
}

/** Whether a path of a package, relative to the root, is left out: the same as {@link pathOptions} makes dpkg do. */
export function isLeftOut(path: string, { docs, langs }: DebSelection): boolean {
  if (!path.startsWith('usr/share/')) return false
  const [folder = '', name = '', ...rest] = path.slice('usr/share/'.length).split('/')
  if (name === '') return false
  if (!docs && docFolders.includes(folder)) return !(folder === 'doc' && rest.at(-1) === 'copyright')
  if (folder !== 'locale' || langs.includes('all') || (name === 'locale.alias' && rest.length === 0)) return false
  return !langs.some((lang) => name === lang || name.startsWith(`${lang}_`) || name.startsWith(`${lang}@`))
}

const docFolders: readonly string[] = ['doc', 'man', 'info', 'groff', 'help', 'gtk-doc', 'doc-base', 'lintian', 'linda']

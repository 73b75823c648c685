/**
 * Paragraphs of fields, as Debian's control files, package lists and dpkg's databases have them. Source: deb822(5).
 */

/** One paragraph: its fields by lower-case name, values with their continuation lines as they stand. */
export type Paragraph = ReadonlyMap<string, string>

/** Reads one paragraph. A line that is no field is passed over. */
export function parseParagraph(text: string): Paragraph {
  const fields = new Map<string, string>()
  let last = ''
  for (const line of text.split('\n')) {
    const field = /^([^\s:#][^\s:]*):\s*(.*)$/.exec(line)
    if (field) {
      last = (field[1] as string).toLowerCase()
      fields.set(last, field[2] as string)
    } else if (/^[ \t]/.test(line) && last !== '') fields.set(last, `${fields.get(last)}\n${line}`)
  }
  return fields
}

/** The paragraphs of a file, as text. */
export function splitParagraphs(text: string): readonly string[] {
  return text.split(/\n(?:[ \t]*\n)+/).filter((part) => part.trim() !== '')
}

/** The names that a relation names, whatever the versions and alternatives: `Replaces: a (<< 2), b | c`. */
export function namesIn(relation: string | undefined): readonly string[] {
  return (relation ?? '')
    .split(/[,|]/)
    .map((part) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(part)?.[1] ?? '')
    .filter((name) => name !== '')
}

/** The name most like what was asked for, at most two edits (Levenshtein) away; undefined when none is. */
export function nearest(asked: string, names: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = 3
  for (const name of names) {
    if (Math.abs(name.length - asked.length) >= least) continue
    const distance = edits(asked, name)
    if (distance < least) [best, least] = [name, distance]
  }
  return best
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

/** The known word that was most likely meant, by the number of typing slips; undefined when none is near. */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  return nearestWords(word, [...known])[0]
}

/** At most three known words that may have been meant, most likely first: few slips, or the start of a longer word. */
export function nearestWords(word: string, known: readonly string[]): readonly string[] {
  const wanted = word.toLowerCase()
  const most = wanted.length < 4 ? 1 : wanted.length < 7 ? 2 : 3
  const judged = known.map((one) => {
    const isStart = wanted.length >= 3 && one.toLowerCase().startsWith(wanted)
    return { one, slips: isStart ? 1 : slipsBetween(wanted, one.toLowerCase()) }
  })
  const near = judged.filter(({ one, slips }) => slips <= Math.min(most, one.length - 1))
  near.sort((a, b) => a.slips - b.slips || (a.one < b.one ? -1 : 1))
  const best = near[0]?.slips ?? 0
  return near
    .filter(({ slips }) => slips <= best + 1)
    .slice(0, 3)
    .map(({ one }) => one)
}

/** Damerau's distance: a letter more, less, another, or two swapped is one slip. */
function slipsBetween(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let least = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(before, j - 2) + 1)
      row.push(least)
    }
    before = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? 0
}

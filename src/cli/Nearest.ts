/** Finds what somebody probably meant to type. */

/** Edits between two words: insert, delete, replace, swap neighbours. */
const distance = (a: string, b: string): number => {
  let before: Array<number> = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

/** The candidate nearest to `word`, if one is near enough to be worth a hint; of equally near ones the first. */
export const nearest = (word: string, candidates: ReadonlyArray<string>): string | undefined => {
  // a flag of hundreds of letters is no slip of the finger, and comparing it would be slow
  if (word.length > 40) return undefined
  const typed = word.toLowerCase()
  let best: string | undefined
  const { length } = word.replace(/^-+/, "")
  // fewer edits than letters: else nothing of what was typed would be left
  let least = Math.min(length, Math.max(1, Math.floor(length / 3)) + 1)
  for (const candidate of candidates) {
    const edits = distance(typed, candidate)
    if (edits < least) {
      best = candidate
      least = edits
    }
  }
  if (best !== undefined) return best
  const bare = typed.replace(/^-+/, "")
  return bare.length < 3 ? undefined : candidates.find(candidate => candidate.replace(/^-+/, "").startsWith(bare))
}

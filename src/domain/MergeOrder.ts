/**
 * Merges the orders of several sequences of the same kind of elements: the keys of a line, the elements of an array.
 *
 * Where the sequences agree, their order stays and new elements find their place by rank; where they contradict each
 * other, rank alone decides. The result is a linear extension of all sequences, or the pure rank order, so merging it
 * with any of them again gives the same: the merge of bytes stays idempotent.
 */
export const merge = (
  sequences: ReadonlyArray<ReadonlyArray<string>>,
  compare: (a: string, b: string) => number
): ReadonlyArray<string> => {
  const [first, ...rest] = sequences
  if (
    first !== undefined &&
    rest.every(other => other.length === first.length && other.every((x, i) => x === first[i]))
  ) {
    return first
  }
  const ranked = [...new Set(sequences.flat())].sort(compare)
  const before = new Map(ranked.map(element => [element, new Set<string>()]))
  for (const sequence of sequences) {
    sequence.forEach((element, i) => {
      const previous = sequence[i - 1]
      if (previous !== undefined) before.get(element)?.add(previous)
    })
  }
  const out: Array<string> = []
  const placed = new Set<string>()
  while (out.length < ranked.length) {
    const next = ranked.find(
      element => !placed.has(element) && [...(before.get(element) ?? [])].every(earlier => placed.has(earlier))
    )
    // a contradiction: no order serves all
    if (next === undefined) return ranked
    placed.add(next)
    out.push(next)
  }
  return out
}

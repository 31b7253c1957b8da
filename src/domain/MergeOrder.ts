/**
 * The order of what a merge brings together: keys of a line, elements of an array.
 *
 * Every version's own order is kept where the versions allow it, so that a merged line differs from each of them only
 * in what the others changed. The result is a linear extension of all of them; merging it again with any of them
 * therefore gives it back (G24).
 */

/** Makes UTF-16 units compare as the code points they are part of: surrogates belong behind U+E000–U+FFFF. */
const unitRank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit)

/** Orders texts as their UTF-8 bytes. */
export const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = unitRank(a.charCodeAt(i)) - unitRank(b.charCodeAt(i))
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/**
 * One sequence of all that stands in `sequences` (each free of repetitions). What the sequences leave open is decided
 * by `rank`, a total order; where they contradict each other, `rank` decides everything.
 */
export const merge = (
  sequences: ReadonlyArray<ReadonlyArray<string>>,
  rank: (a: string, b: string) => number
): ReadonlyArray<string> => {
  /** In how many sequences an element is still to be placed. */
  const waiting = new Map<string, number>()
  for (const sequence of sequences) {
    for (const element of sequence) waiting.set(element, (waiting.get(element) ?? 0) + 1)
  }
  const next = sequences.map(() => 0)
  const out: Array<string> = []
  while (out.length < waiting.size) {
    // nothing has to stand before an element that is at the head of every sequence it is in
    const heads = new Map<string, number>()
    sequences.forEach((sequence, i) => {
      const head = sequence[next[i] ?? 0]
      if (head !== undefined) heads.set(head, (heads.get(head) ?? 0) + 1)
    })
    let least: string | undefined
    for (const [head, count] of heads) {
      if (count === waiting.get(head) && (least === undefined || rank(head, least) < 0)) least = head
    }
    if (least === undefined) return [...waiting.keys()].sort(rank)
    out.push(least)
    sequences.forEach((sequence, i) => {
      if (sequence[next[i] ?? 0] === least) next[i] = (next[i] ?? 0) + 1
    })
  }
  return out
}

/** Choices that a seed determines, for tests that go at random. */

/** A source of choices. */
export interface Random {
  /** A whole number from 0, below `n`. */
  readonly below: (n: number) => number
  readonly pick: <A>(all: ReadonlyArray<A>) => A
}

/** The same choices for the same seed (mulberry32). */
export const randomOf = (from: number): Random => {
  let state = from + 0x9e3779b9
  const below = (n: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
  const pick = <A>(all: ReadonlyArray<A>): A => {
    const one = all[below(all.length)]
    if (one === undefined) throw new RangeError("nothing to pick from")
    return one
  }
  return { below, pick }
}

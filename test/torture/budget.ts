/**
 * How long and from which seed a torture test runs: `npm run torture` says it through the environment; without, the
 * short form that is part of `npm test`.
 */
import { randomInt } from "node:crypto"

const given = (name: string): number | undefined => {
  const text = process.env[name]
  return text === undefined || text === "" ? undefined : Number(text)
}

/** Whether `npm run torture` runs it. */
export const atLength = given("BD_TORTURE_SECONDS") !== undefined

/** Of this run; the same seed makes the same choices, though not the same timing. */
export const seed = given("BD_TORTURE_SEED") ?? randomInt(2 ** 31)

/** How long a test may go on, in milliseconds: `short` in `npm test`. */
export const milliseconds = (short: number): number => (given("BD_TORTURE_SECONDS") ?? short / 1000) * 1000

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

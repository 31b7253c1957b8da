/**
 * How long and from which seed a torture test runs: `npm run torture` says it through the environment; without, the
 * short form that is part of `npm test`.
 */
import { randomInt } from "node:crypto"

export { type Random, randomOf } from "../random.ts"

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

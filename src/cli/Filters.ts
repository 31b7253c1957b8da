/** What the flags of `list` and `ready` have in common. */
import * as Effect from "effect/Effect"
import * as Issue from "../domain/Issue.ts"

/** The conditions that were given; an absent key is no condition. */
export const given = <A extends object>(filter: A): { readonly [K in keyof A]?: Exclude<A[K], undefined> } =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof A]?: Exclude<A[K], undefined>
  }

/** Priorities as people write them. */
export const priorities = (texts: ReadonlyArray<string> | undefined) =>
  texts === undefined ? Effect.succeed(undefined) : Effect.forEach(texts, Issue.decodePriority)

/** What a prefix of ids may look like. */
import * as Effect from "effect/Effect"
import { InvalidValue } from "../domain/Issue.ts"

/** A prefix as people type it, hyphens at its end dropped. */
export const decode = (given: string) => {
  const prefix = given.replace(/-+$/, "")
  return /^[\p{L}\p{N}_][\p{L}\p{N}._-]{0,63}$/u.test(prefix)
    ? Effect.succeed(prefix)
    : Effect.fail(
        new InvalidValue({ field: "prefix", value: given, rule: "letters, digits, hyphens, dots and underscores" })
      )
}

/** What a prefix of ids may look like. */
import * as Effect from "effect/Effect"
import { InvalidValue } from "../domain/Issue.ts"
import * as ConfigFile from "./ConfigFile.ts"

// most are ASCII: the other takes V8 as long as to read a file, for the tables of Unicode behind it
const inAscii = /^\w[\w.-]{0,63}$/
const inAnyScript = () => /^[\p{L}\p{N}_][\p{L}\p{N}._-]{0,63}$/u

/** A prefix as people type it, hyphens at its end dropped. */
export const decode = (given: string) => {
  const prefix = given.replace(/-+$/, "")
  return inAscii.test(prefix) || inAnyScript().test(prefix)
    ? Effect.succeed(prefix)
    : Effect.fail(
        new InvalidValue({ field: "prefix", value: given, rule: "letters, digits, hyphens, dots and underscores" })
      )
}

/** The prefix that `config.yaml` sets; one that makes no sense there, in everybody's file, is told and passed over. */
export const configured = Effect.fnUntraced(function* (config: ReadonlyMap<string, string>) {
  const given = config.get(ConfigFile.prefixKey)
  if (given === undefined || given === "") return undefined
  return yield* Effect.catchAll(decode(given), ({ rule }) =>
    Effect.as(
      Effect.logWarning(
        `config.yaml: ${ConfigFile.prefixKey} is ${JSON.stringify(given)}, expected ${rule}; it is not heeded`
      ),
      undefined
    )
  )
})

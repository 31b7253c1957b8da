import * as Effect from "effect/Effect"
import { UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { merge } from "../CommandTable.ts"

export const run = Effect.fn("bd.merge")(function* (_: Input<typeof merge>) {
  return yield* new UsageError({ detail: "bd merge is not there yet", hint: undefined })
})

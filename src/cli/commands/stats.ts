import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Output from "../Output.ts"
import * as Reports from "../Reports.ts"

export const run = Effect.fn("bd.stats")(function* () {
  const tracker = yield* Tracker
  const statistics = yield* tracker.stats
  yield* Output.answer({ json: () => Reports.statsJson(statistics), text: () => Reports.stats(statistics) })
})

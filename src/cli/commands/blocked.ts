import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Output from "../Output.ts"
import * as Reports from "../Reports.ts"

export const run = Effect.fn("bd.blocked")(function* () {
  const tracker = yield* Tracker
  const items = yield* tracker.blocked
  yield* Output.answerList({ items, total: items.length }, { json: Reports.blockedJson, text: Reports.blocked })
})

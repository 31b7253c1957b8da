import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { stale } from "../CommandTable.ts"
import * as Filters from "../Filters.ts"
import * as Output from "../Output.ts"
import * as Render from "../Render.ts"
import * as Reports from "../Reports.ts"

export const run = Effect.fn("bd.stale")(function* ({ flags }: Input<typeof stale>) {
  const tracker = yield* Tracker
  const days = flags.days ?? 30
  const page = yield* tracker.stale({ days, ...Filters.given({ statuses: flags.status, limit: flags.limit }) })
  const now = yield* Clock.currentTimeMillis
  yield* Output.answerList(page, { json: Render.json, text: issues => Reports.stale(issues, days, now) })
})

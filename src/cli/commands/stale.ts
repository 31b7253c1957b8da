import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Issue } from "../../domain/Issue.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { stale } from "../CommandTable.ts"
import * as Fields from "../Fields.ts"
import * as Filters from "../Filters.ts"
import * as Output from "../Output.ts"
import * as Render from "../Render.ts"
import * as Reports from "../Reports.ts"

export const run = Effect.fn("bd.stale")(function* ({ flags }: Input<typeof stale>) {
  const tracker = yield* Tracker
  const days = flags.days ?? 30
  const page = yield* tracker.stale({ days, ...Filters.given({ statuses: flags.status, limit: flags.limit }) })
  const now = yield* Clock.currentTimeMillis
  const forms = yield* Fields.shaped(flags, {
    json: Render.json,
    text: (issues: ReadonlyArray<Issue>) => Reports.stale(issues, days, now),
    drawn: issues => (tables, screen) => tables.stale(issues, days, now, screen)
  })
  yield* Output.answerList(page, forms)
})

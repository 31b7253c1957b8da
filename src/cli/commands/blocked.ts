import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { blocked } from "../CommandTable.ts"
import * as Fields from "../Fields.ts"
import * as Output from "../Output.ts"
import * as Reports from "../Reports.ts"

export const run = Effect.fn("bd.blocked")(function* ({ flags }: Input<typeof blocked>) {
  const { parent } = flags
  const forms = yield* Fields.shaped(flags, {
    json: Reports.blockedJson,
    text: Reports.blocked,
    drawn: issues => (tables, screen) => tables.blocked(issues, screen)
  })
  const tracker = yield* Tracker
  const all = yield* tracker.blocked
  const below = parent === undefined ? undefined : yield* tracker.list({ parent })
  const ids = below && new Set(below.items.map(({ issue }) => issue.id))
  const items = all.filter(({ issue }) => ids?.has(issue.id) ?? true)
  yield* Output.answerList({ items, total: items.length }, forms)
})

import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { ready } from "../CommandTable.ts"
import * as Filters from "../Filters.ts"
import * as Output from "../Output.ts"
import * as Render from "../Render.ts"

export const run = Effect.fn("bd.ready")(function* ({ flags }: Input<typeof ready>) {
  const tracker = yield* Tracker
  const page = yield* tracker.ready(
    Filters.given({
      sort: flags.sort,
      priorities: yield* Filters.priorities(flags.priority),
      assignee: flags.assignee,
      labels: flags.label,
      labelsAny: flags["label-any"],
      includeInProgress: flags["include-in-progress"],
      limit: flags.limit
    })
  )
  yield* Output.answerList(page, { json: Render.json, text: Render.ready })
})

import * as Effect from "effect/Effect"
import * as Issue from "../../domain/Issue.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { list } from "../CommandTable.ts"
import * as Filters from "../Filters.ts"
import * as Output from "../Output.ts"
import * as Render from "../Render.ts"

export const run = Effect.fn("bd.list")(function* ({ flags }: Input<typeof list>) {
  const tracker = yield* Tracker
  const page = yield* tracker.list(
    Filters.given({
      statuses: flags.status,
      types: flags.type,
      priorities: yield* Filters.priorities(flags.priority),
      priorityMin: flags["priority-min"] === undefined ? undefined : yield* Issue.decodePriority(flags["priority-min"]),
      priorityMax: flags["priority-max"] === undefined ? undefined : yield* Issue.decodePriority(flags["priority-max"]),
      assignee: flags.assignee,
      unassigned: flags["no-assignee"] ? true : undefined,
      labels: flags.label,
      labelsAny: flags["label-any"],
      ids: flags.id,
      titleContains: flags["title-contains"] ?? flags.title,
      limit: flags.limit
    })
  )
  yield* Output.answerList(page, {
    json: Render.listedJson,
    text: items => (flags.long ? Render.longList : Render.list)(items.map(({ issue }) => issue))
  })
})

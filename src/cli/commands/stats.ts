import * as Effect from "effect/Effect"
import * as Instant from "../../domain/Instant.ts"
import { type Statistics, Tracker } from "../../tracker/Tracker.ts"
import * as Actor from "../Actor.ts"
import type { Input } from "../CommandSpec.ts"
import type { stats } from "../CommandTable.ts"
import * as Output from "../Output.ts"
import * as Reports from "../Reports.ts"

const hourOf = (from: string, to: string | undefined): ReadonlyArray<number> => {
  const [start, end] = [Instant.parse(from), Instant.parse(to ?? "")]
  return start === undefined || end === undefined ? [] : [Number((end - start) / 1_000_000_000n) / 3600]
}

/** The same of one assignee's issues alone. */
const assigned = Effect.fnUntraced(function* (assignee: string) {
  const tracker = yield* Tracker
  const { items } = yield* tracker.list({ assignee })
  const issues = items.map(({ issue }) => issue)
  const having = (status: string) => issues.filter(issue => issue.status === status).length
  const hours = issues.flatMap(issue => (issue.status === "closed" ? hourOf(issue.created_at, issue.closed_at) : []))
  const found: Statistics = {
    total: issues.length,
    open: having("open"),
    inProgress: having("in_progress"),
    closed: having("closed"),
    blocked: (yield* tracker.blocked).filter(({ issue }) => issue.assignee === assignee).length,
    ready: (yield* tracker.ready({ assignee, limit: 0 })).total,
    epicsEligibleForClosure: (yield* tracker.epics).filter(
      ({ eligible, epic }) => eligible && epic.assignee === assignee
    ).length,
    averageLeadTimeHours: hours.length === 0 ? 0 : hours.reduce((sum, each) => sum + each, 0) / hours.length
  }
  return found
})

export const run = Effect.fn("bd.stats")(function* ({ flags }: Input<typeof stats>) {
  const tracker = yield* Tracker
  // the one whose name claim writes down, so git is asked
  const statistics = flags.assigned ? yield* assigned(yield* Actor.find({ mutates: true })) : yield* tracker.stats
  const numbers = Reports.statsJson(statistics)
  yield* Output.answer({
    // newer front ends look for them one level deeper
    json: () => ({ ...numbers, summary: numbers }),
    text: () => Reports.stats(statistics)
  })
})

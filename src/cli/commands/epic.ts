import * as Effect from "effect/Effect"
import type * as Issue from "../../domain/Issue.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { epicCloseEligible, epicStatus } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"
import * as Reports from "../Reports.ts"

const none = "No epics eligible for closure"

export const status = Effect.fn("bd.epic.status")(function* ({ flags }: Input<typeof epicStatus>) {
  const tracker = yield* Tracker
  const all = yield* tracker.epics
  const epics = flags["eligible-only"] ? all.filter(({ eligible }) => eligible) : all
  yield* Output.answer({
    json: () => epics.map(Reports.epicJson),
    text: () => epics.map(Reports.epic).join("\n\n") || (flags["eligible-only"] ? none : "No open epics found")
  })
})

const preview = Effect.fnUntraced(function* () {
  const tracker = yield* Tracker
  const epics = (yield* tracker.epics).filter(({ eligible }) => eligible)
  const lines = epics.map(({ epic }) => `  - ${Escape.line(epic.id)}: ${Escape.line(epic.title)}`)
  yield* Output.answer({
    json: () => epics.map(Reports.epicJson),
    text: () => (epics.length === 0 ? none : [`Would close ${Plural.of(epics.length, "epic")}:`, ...lines].join("\n"))
  })
})

export const closeEligible = Effect.fn("bd.epic.close-eligible")(function* ({
  flags
}: Input<typeof epicCloseEligible>) {
  const tracker = yield* Tracker
  if (flags["dry-run"]) return yield* preview()
  const closed = (done: ReadonlyArray<ReadonlyArray<Issue.Issue>>) => done.flat().map(({ id }) => id)
  yield* Change.run(Change.one(tracker.closeEligibleEpics), {
    json: done => {
      const ids = closed(done)
      return ids.length === 0 ? [] : { closed: ids, count: ids.length }
    },
    text: done => {
      const ids = closed(done)
      return ids.length === 0
        ? none
        : [`✓ Closed ${Plural.of(ids.length, "epic")}`, ...ids.map(id => `  - ${Escape.line(id)}`)].join("\n")
    }
  })
})

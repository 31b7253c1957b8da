import * as Effect from "effect/Effect"
import type { AuditEvent } from "../../store/IssueStore.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { history, log as logSpec } from "../CommandTable.ts"
import * as Output from "../Output.ts"
import * as Reports from "../Reports.ts"

const answer = Effect.fnUntraced(function* (events: ReadonlyArray<AuditEvent>, total: number) {
  yield* Output.answer({
    json: () => events.map(Reports.eventJson),
    text: () => events.map(Reports.event).join("\n") || "Nothing is recorded"
  })
  yield* Output.tellCut(events.length, total)
})

export const run = Effect.fn("bd.history")(function* ({ args, flags }: Input<typeof history>) {
  const tracker = yield* Tracker
  const events = yield* tracker.history({ id: args.id })
  yield* answer(flags.limit ? events.slice(0, flags.limit) : events, events.length)
})

export const log = Effect.fn("bd.log")(function* ({ flags }: Input<typeof logSpec>) {
  const tracker = yield* Tracker
  yield* answer(yield* tracker.history({ limit: flags.limit ?? 50 }), yield* tracker.historySize)
})

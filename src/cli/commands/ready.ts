import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Issue } from "../../domain/Issue.ts"
import { type ReadyFilter, Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { FlagsOf, Input } from "../CommandSpec.ts"
import type { ready } from "../CommandTable.ts"
import * as Fields from "../Fields.ts"
import * as Filters from "../Filters.ts"
import * as Output from "../Output.ts"
import * as Render from "../Render.ts"
import { Settings } from "../Settings.ts"
import type { fieldFlags } from "../specs/Parts.ts"

/** Takes the first that nobody has. That there is none is an answer, not a failure. */
const claim = Effect.fnUntraced(function* (filter: ReadyFilter, flags: FlagsOf<typeof fieldFlags>) {
  const tracker = yield* Tracker
  const forms = yield* Fields.shaped(flags, {
    json: Render.json,
    text: (found: ReadonlyArray<Issue>) => Render.claimed(found) || "✨ No ready work to claim"
  })
  yield* Change.run(
    Change.one(tracker.claimReady(filter)),
    {
      json: found => found.flatMap(Option.toArray).map(forms.json),
      text: found => forms.text(found.flatMap(Option.toArray))
    },
    { respond: Output.answer }
  )
})

/** Why there is nothing to do. */
const idle = Effect.fnUntraced(function* (filter: ReadyFilter) {
  const tracker = yield* Tracker
  if (Object.keys(filter).some(key => key !== "limit" && key !== "sort")) return "No ready work found that matches"
  const { blocked, open } = yield* tracker.stats
  if (open === 0) return "No ready work found: no issue is open"
  return blocked > 0
    ? "No ready work found (all issues have blocking dependencies): bd blocked shows what they wait for"
    : "No ready work found"
})

export const run = Effect.fn("bd.ready")(function* ({ flags }: Input<typeof ready>) {
  const tracker = yield* Tracker
  const filter: ReadyFilter = Filters.given({
    sort: flags.sort,
    priorities: yield* Filters.priorities(flags.priority),
    types: flags.type,
    assignee: flags.assignee,
    unassigned: flags.unassigned || undefined,
    labels: flags.label,
    labelsAny: flags["label-any"],
    parent: flags.parent,
    includeInProgress: flags["include-in-progress"] || undefined,
    limit: flags.limit
  })
  if (flags.claim) return yield* claim(filter, flags)
  const page = yield* tracker.ready(filter)
  const { json } = yield* Settings
  const none = page.total > 0 || json ? "" : yield* idle(filter)
  const forms = yield* Fields.shaped(flags, {
    json: Render.json,
    text: (issues: ReadonlyArray<Issue>) => (issues.length === 0 ? `\n✨ ${none}\n` : Render.ready(issues)),
    drawn: issues => (tables, screen) => tables.ready(issues, screen)
  })
  yield* Output.answerList(page, forms)
})

import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { close } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Prose from "../Prose.ts"
import * as Render from "../Render.ts"

/** What was blocked by one of these and is ready now. */
const madeReady = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
  const tracker = yield* Tracker
  const dependents = yield* Effect.forEach(ids, id => Effect.map(tracker.show(id), details => details.dependents))
  const wanted = new Set(dependents.flat().map(({ issue }) => issue.id))
  const { items } = yield* tracker.ready({ limit: 0 })
  return items.filter(({ id }) => wanted.has(id))
})

export const run = Effect.fn("bd.close")(function* ({ args, flags }: Input<typeof close>) {
  const tracker = yield* Tracker
  const reason = (yield* Prose.readOptional(flags.reason)) || "Closed"
  const closed: Array<string> = []
  const changes = Change.each(args.ids, id =>
    Effect.tap(tracker.close(id, { reason }), issue => Effect.sync(() => closed.push(issue.id)))
  )
  yield* Change.run(changes, {
    json: issues => issues.map(Render.json),
    text: issues =>
      issues
        .map(({ close_reason, id }) => `✓ Closed ${Escape.line(id)}: ${Escape.line(close_reason ?? reason)}`)
        .join("\n")
  })
  if (!flags["suggest-next"]) return
  const next = yield* madeReady(closed)
  if (next.length > 0) yield* Output.note(`Ready now:\n${Render.list(next)}`)
})

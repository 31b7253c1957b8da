import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { reopen } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Prose from "../Prose.ts"
import * as Render from "../Render.ts"

export const run = Effect.fn("bd.reopen")(function* ({ args, flags }: Input<typeof reopen>) {
  const tracker = yield* Tracker
  const reason = yield* Prose.readOptional(flags.reason)
  const changes = Change.each(args.ids, id => tracker.reopen(id, reason === undefined ? {} : { reason }))
  yield* Change.run(changes, {
    json: issues => issues.map(Render.json),
    text: issues =>
      issues
        .map(({ id }) => `↻ Reopened ${Escape.line(id)}${reason === undefined ? "" : `: ${Escape.line(reason)}`}`)
        .join("\n")
  })
})

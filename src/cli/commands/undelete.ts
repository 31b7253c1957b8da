import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { undelete } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Render from "../Render.ts"

export const run = Effect.fn("bd.undelete")(function* ({ args }: Input<typeof undelete>) {
  const tracker = yield* Tracker
  yield* Change.run(
    Change.each(args.ids, id => tracker.undelete(id)),
    {
      json: issues => issues.map(Render.json),
      text: issues => issues.map(({ id }) => `↻ Undeleted ${Escape.line(id)}`).join("\n")
    }
  )
})

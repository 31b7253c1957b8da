import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { show } from "../CommandTable.ts"
import * as Render from "../Render.ts"

export const run = Effect.fn("bd.show")(function* ({ args }: Input<typeof show>) {
  const tracker = yield* Tracker
  const found = yield* Change.each(args.ids, id => tracker.show(id))
  yield* Change.finish(found, {
    json: details => details.map(Render.detailsJson),
    text: details => details.map(Render.details).join("\n")
  })
})

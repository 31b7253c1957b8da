import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import type { Input } from "../CommandSpec.ts"
import type { claim } from "../CommandTable.ts"
import * as Render from "../Render.ts"

export const run = Effect.fn("bd.claim")(function* ({ args }: Input<typeof claim>) {
  const tracker = yield* Tracker
  yield* Change.run(
    Change.each(args.ids, id => tracker.claim(id)),
    { json: issues => issues.map(Render.json), text: Render.claimed }
  )
})

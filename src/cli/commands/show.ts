import * as Effect from "effect/Effect"
import { type IssueDetails, Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import { UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { show } from "../CommandTable.ts"
import * as Fields from "../Fields.ts"
import * as Render from "../Render.ts"

export const run = Effect.fn("bd.show")(function* ({ args, flags }: Input<typeof show>) {
  const tracker = yield* Tracker
  const ids = [...args.ids, ...(flags.id ?? [])]
  if (ids.length === 0) return yield* new UsageError({ detail: "ID is missing", hint: "usage: bd show ID…" })
  const forms = yield* Fields.shaped(flags, {
    json: Render.detailsJson,
    text: (details: ReadonlyArray<IssueDetails>) => details.map(Render.details).join("\n")
  })
  const found = yield* Change.each(ids, id => tracker.show(id))
  yield* Change.finish(found, { json: details => details.map(forms.json), text: forms.text })
})

import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import { NotThereYet, UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { sync } from "../CommandTable.ts"
import * as Output from "../Output.ts"
import * as Flush from "./flush.ts"

export const run = Effect.fn("bd.sync")(function* ({ flags }: Input<typeof sync>) {
  const tracker = yield* Tracker
  if (flags["import-only"] && flags["flush-only"]) {
    return yield* new UsageError({ detail: "--import-only and --flush-only exclude each other", hint: undefined })
  }
  if (flags["import-only"]) {
    const report = yield* tracker.init
    return yield* Output.confirm({
      json: () => ({ issue_file: report.issueFile, issues: report.issues }),
      text: () => "→ Importing from JSONL...\n✓ Import complete"
    })
  }
  if (flags["flush-only"]) return yield* Flush.run({ args: {}, flags: { full: false } })
  return yield* new NotThereYet({ what: "sync without --flush-only or --import-only" })
})

import * as Effect from "effect/Effect"
import type { FlushFailed } from "../../flush/Exporter.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import { AlreadyTold } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { flush } from "../CommandTable.ts"
import * as Output from "../Output.ts"

/** A flush that was asked for by name has committed nothing that could stand: what kept it from writing counts. */
const exitCode = ({ reason }: FlushFailed): number =>
  reason === "UnreadableLine" ? 8 : reason === "LockTimeout" ? 6 : 7

export const run = Effect.fn("bd.flush")(function* ({ flags }: Input<typeof flush>) {
  const tracker = yield* Tracker
  const report = yield* tracker
    .flushNow({ full: flags.full })
    .pipe(
      Effect.catchTag("FlushFailed", error =>
        Output.tell(error).pipe(
          Effect.andThen(Output.errorDocument(error)),
          Effect.andThen(new AlreadyTold({ exitCode: exitCode(error) }))
        )
      )
    )
  yield* Output.confirm({
    json: () => report,
    text: () =>
      report.mode === "unchanged"
        ? "✓ Nothing to flush"
        : `✓ Flushed ${report.written} issues (${report.mode}, ${report.bytes} bytes)`
  })
})

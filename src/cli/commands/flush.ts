import * as Effect from "effect/Effect"
import type { FlushFailed } from "../../flush/Exporter.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import { AlreadyTold } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { flush } from "../CommandTable.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"

/** A flush that was asked for by name has committed nothing that could stand: what kept it from writing counts. */
const exitCode = ({ reason }: FlushFailed): number =>
  reason === "UnreadableLine" ? 8 : reason === "LockTimeout" ? 6 : 7

/** Nothing was changed that a later command would bring into the file along with its own. */
const hintOf = ({ message }: FlushFailed): string => {
  const cure = ExitCode.systemHint(message)
  const rest = "no change is lost: what is not published stays in the store. Run bd flush again when this is mended"
  return cure === undefined ? rest : `${cure}; ${rest}`
}

/** A publish that was asked for, its failure told as that of no change. */
export const publish = Effect.fnUntraced(function* (how: { readonly full: boolean }) {
  const tracker = yield* Tracker
  return yield* tracker
    .flushNow(how)
    .pipe(
      Effect.catchTag("FlushFailed", error =>
        Output.tell(error, hintOf(error)).pipe(
          Effect.andThen(Output.errorDocument(error, { hint: hintOf(error) })),
          Effect.andThen(new AlreadyTold({ exitCode: exitCode(error) }))
        )
      )
    )
})

export const run = Effect.fn("bd.flush")(function* ({ flags }: Input<typeof flush>) {
  const report = yield* publish({ full: flags.full })
  yield* Output.confirm({
    json: () => report,
    text: () =>
      report.mode === "unchanged"
        ? "✓ Nothing to flush"
        : `✓ Flushed ${Plural.of(report.written, "issue")} (${report.mode}, ${report.bytes} bytes)`
  })
})

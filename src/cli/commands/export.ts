import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import { UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { exportIssues } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as OutputFile from "../OutputFile.ts"
import * as Plural from "../Plural.ts"
import { Session } from "../Session.ts"
import { Settings } from "../Settings.ts"
import { Stdio } from "../Stdio.ts"
import * as Flush from "./flush.ts"

const lineFeed = 10

const countLines = (bytes: Uint8Array): number =>
  bytes.reduce((count, byte) => (byte === lineFeed ? count + 1 : count), 0)

export const run = Effect.fn("bd.export")(function* ({ flags }: Input<typeof exportIssues>) {
  const tracker = yield* Tracker
  const path = yield* Path.Path
  const stdio = yield* Stdio
  const { quiet } = yield* Settings
  const { location } = yield* Session
  const filter = flags.status === undefined ? {} : { statuses: flags.status }
  const output = flags.output
  if (output === undefined) return yield* stdio.outBytes(yield* tracker.exportParts(filter))

  if (
    (yield* OutputFile.real(path.resolve(output))) ===
    (yield* OutputFile.real(path.join(location.directory, location.issueFile)))
  ) {
    // the issue file is written by a publish alone, under the lock and after a reconcile
    if (flags.status !== undefined) {
      return yield* new UsageError({ detail: `${output} is the issue file, which holds every issue`, hint: undefined })
    }
    const report = yield* Flush.publish({ full: true })
    const { issues, tombstones } = yield* tracker.info
    if (!quiet) yield* stdio.err(`Exported ${Plural.of(issues + tombstones, "issue")} to ${Escape.line(output)}\n`)
    return yield* Output.confirm({
      json: () => ({ output, published: true, written: report.written, bytes: report.bytes }),
      text: () => ""
    })
  }
  if (path.dirname(yield* OutputFile.real(path.resolve(output))) === (yield* OutputFile.real(location.directory))) {
    return yield* new UsageError({
      detail: `${output} lies in ${location.directory}, where other files than the issue file would be taken for the tracker's own`,
      hint: "export to a place outside of it"
    })
  }
  const bytes = yield* tracker.export(filter)
  yield* OutputFile.write(output, bytes)
  const exported = countLines(bytes)
  if (!quiet) yield* stdio.err(`Exported ${Plural.of(exported, "issue")} to ${Escape.line(output)}\n`)
  yield* Output.answer({ json: () => ({ exported, output, bytes: bytes.length }), text: () => "" })
})

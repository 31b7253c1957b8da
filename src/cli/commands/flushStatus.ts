import * as Effect from "effect/Effect"
import { type FlushState, Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { flushStatus } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"

const contentCodes = {
  asSeen: "as_seen",
  changed: "changed",
  missing: "missing",
  unreadable: "unreadable",
  unknown: "unknown"
} as const

const contentTexts = {
  asSeen: "as the store knows it",
  changed: "changed by others; the next command takes it over",
  missing: "missing; the next flush writes it anew",
  unreadable: "a line cannot be read, and nothing is published before it is mended: bd doctor tells how",
  unknown: "not looked at: git or another process is at work"
} as const

const word = ({ fullExportNeeded, lastFailure, unpublished }: FlushState) =>
  unpublished === 0 && !fullExportNeeded ? "clean" : lastFailure === undefined ? "dirty" : "failing"

const json = (state: FlushState) => ({
  state: word(state),
  unpublished_count: state.unpublished,
  full_export_needed: state.fullExportNeeded,
  last_flush:
    state.lastFlush === undefined
      ? null
      : {
          at: state.lastFlush.at,
          mode: state.lastFlush.mode,
          written: state.lastFlush.written,
          removed: state.lastFlush.removed,
          bytes: state.lastFlush.bytes
        },
  last_failure:
    state.lastFailure === undefined
      ? null
      : { at: state.lastFailure.at, reason: state.lastFailure.reason, message: state.lastFailure.detail },
  issue_file: {
    path: state.issueFile.path,
    size: state.issueFile.size,
    content: contentCodes[state.issueFile.content],
    problem: state.issueFile.problem
  },
  database_path: state.database
})

const text = (state: FlushState): string => {
  const { issueFile, lastFailure, lastFlush, unpublished } = state
  return [
    unpublished === 0
      ? "✓ Nothing waits to be published"
      : `○ Not yet in the issue file: ${Plural.of(unpublished, "issue")}`,
    ...(state.fullExportNeeded ? ["Next flush: full, every issue is compared with its line"] : []),
    `Last flush: ${lastFlush === undefined ? "none yet" : `${lastFlush.at} (${lastFlush.mode}, ${Plural.of(lastFlush.written, "issue")}, ${lastFlush.bytes} bytes)`}`,
    ...(lastFailure === undefined ? [] : [`Last failure: ${lastFailure.at}: ${Escape.line(lastFailure.detail)}`]),
    `Issue file: ${Escape.line(issueFile.path)} (${issueFile.size} bytes, ${contentTexts[issueFile.content]})`,
    ...(issueFile.problem === undefined ? [] : [`  ${Escape.line(issueFile.problem)}`])
  ].join("\n")
}

export const run = Effect.fn("bd.flushStatus")(function* (_: Input<typeof flushStatus>) {
  const tracker = yield* Tracker
  const state = yield* tracker.flushState
  yield* Output.answer({ json: () => json(state), text: () => text(state) })
})

import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as FileMerge from "../../domain/FileMerge.ts"
import * as IssueRecord from "../../domain/IssueRecord.ts"
import * as IssueLine from "../../issue-file/IssueLine.ts"
import * as IssueLines from "../../issue-file/IssueLines.ts"
import { AlreadyTold, FileUnusable } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { merge } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import type { CommandError } from "../ExitCode.ts"
import * as Output from "../Output.ts"

const unusable = (path: string) => (cause: PlatformError) =>
  new FileUnusable({
    path,
    detail: cause._tag === "SystemError" && cause.reason === "NotFound" ? "no such file" : cause.message,
    cause
  })

/** The records of a file; one line that cannot be read bars the merge, for it would be lost. */
const recordsOf = Effect.fnUntraced(function* (path: string, bytes: Uint8Array) {
  const { lines, unreadable } = IssueLines.read(bytes)
  const [first] = unreadable
  if (first !== undefined) {
    return yield* new IssueLine.UnreadableLine({
      path,
      line: first.number,
      reason: first.reason,
      outcome: "Nothing was merged"
    })
  }
  return lines.flatMap(({ text }) => {
    const record = IssueLine.decode(text)
    return IssueLine.isUnreadable(record) ? [] : [record]
  })
})

/** Replaces a file in one step: git takes what stands in OUT even when the driver fails. */
const replace = Effect.fnUntraced(function* (path: string, bytes: Uint8Array) {
  const fs = yield* FileSystem.FileSystem
  const temporary = `${path}.${process.pid}.tmp`
  yield* fs.writeFile(temporary, bytes, { flag: "wx" }).pipe(
    Effect.andThen(fs.rename(temporary, path)),
    Effect.onError(() => Effect.ignore(fs.remove(temporary))),
    Effect.mapError(unusable(path))
  )
})

const mergeInto = Effect.fnUntraced(function* ({ base, left, out, right }: Input<typeof merge>["args"]) {
  const fs = yield* FileSystem.FileSystem
  const readBytes = (path: string) => Effect.mapError(fs.readFile(path), unusable(path))
  const ancestor = yield* fs.readFile(base).pipe(
    Effect.catchIf(
      error => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeed(new Uint8Array(0))
    ),
    Effect.mapError(unusable(base))
  )
  const leftBytes = yield* readBytes(left)
  const leftRecords = yield* recordsOf(left, leftBytes)
  const merged = FileMerge.mergeFiles({
    base: yield* recordsOf(base, ancestor),
    left: leftRecords,
    right: yield* recordsOf(right, yield* readBytes(right))
  })
  // spliced into the left file, so that lines which the merge leaves alone stay as they are
  const lines = new Map(merged.records.map(record => [record.id, IssueRecord.line(record)]))
  const { bytes } = IssueLines.splice(leftBytes, lines)
  yield* replace(out, bytes)
  return merged
})

export const run = Effect.fn("bd.merge")(function* ({ args }: Input<typeof merge>) {
  const merged = yield* mergeInto(args).pipe(
    // 1 would tell git of conflicts that are left in the file
    Effect.catchAll((error: CommandError) =>
      Output.tell(error).pipe(
        Effect.andThen(Output.errorDocument(error)),
        Effect.andThen(new AlreadyTold({ exitCode: 2 }))
      )
    )
  )
  for (const { from, title, to } of merged.renamed) {
    yield* Output.note(`${Escape.line(from)} was created twice; "${Escape.line(title)}" is now ${Escape.line(to)}`)
  }
  for (const { dependsOn, id, type } of merged.unresolvedReferences) {
    yield* Output.note(
      `${Escape.line(id)} depends on ${Escape.line(dependsOn)} (${Escape.line(type)}), which now names one of two issues: check that it is the one meant`
    )
  }
  yield* Output.answer({
    json: () => ({
      issues: merged.records.length,
      renamed: merged.renamed,
      unresolved: merged.unresolvedReferences.map(({ dependsOn, id, type }) => ({
        issue_id: id,
        depends_on_id: dependsOn,
        type
      }))
    }),
    text: () => ""
  })
})

import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Change from "../Change.ts"
import { UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { comments, commentsAdd } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Prose from "../Prose.ts"
import * as Render from "../Render.ts"

export const list = Effect.fn("bd.comments")(function* ({ args }: Input<typeof comments>) {
  const tracker = yield* Tracker
  const { issue } = yield* tracker.show(args.id)
  yield* Output.answer({
    json: () => issue.comments,
    text: () => Render.comments(issue.id, issue.comments)
  })
})

export const add = Effect.fn("bd.comments.add")(function* ({ args, flags }: Input<typeof commentsAdd>) {
  const tracker = yield* Tracker
  const source = flags.file === undefined ? args.text : ({ _tag: "File", path: flags.file } as const)
  if (source === undefined) {
    return yield* new UsageError({ detail: "TEXT is missing", hint: "- reads it from stdin, -f from a file" })
  }
  if (flags.file !== undefined && args.text !== undefined) {
    return yield* new UsageError({ detail: "TEXT and --file exclude each other", hint: undefined })
  }
  const text = yield* Prose.read(source)
  const attempt = tracker.addComment(args.id, text, flags.author === undefined ? {} : { author: flags.author })
  yield* Change.run(Change.one(attempt), {
    json: ([comment]) => comment ?? null,
    text: said => said.map(comment => `Comment added to ${Escape.line(comment.issue_id)}`).join("\n")
  })
})

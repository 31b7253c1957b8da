import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { prime } from "../CommandTable.ts"
import type { CommandError } from "../ExitCode.ts"
import * as Guide from "../Guide.ts"
import * as Output from "../Output.ts"
import * as Render from "../Render.ts"
import * as Reports from "../Reports.ts"
import { Session } from "../Session.ts"

export const run = Effect.fn("bd.prime")(function* ({ flags }: Input<typeof prime>) {
  const tracker = yield* Tracker
  const path = yield* Path.Path
  const { location } = yield* Session
  const stats = yield* tracker.stats
  const { items: ready } = yield* tracker.ready({ limit: Guide.shown })
  const { items: listed } = yield* tracker.list({ statuses: ["in_progress"], limit: Guide.shown })
  const inProgress = listed.map(({ issue }) => issue)
  const { prefix, unpublished } = yield* tracker.info
  const issueFile = path.join(path.basename(location.directory), location.issueFile)
  const state: Guide.State = { stats, prefix, issueFile, unpublished, inProgress, ready }
  yield* Output.answer({
    json: () => ({
      project: true,
      text: Guide.prime(state, flags.mcp),
      prefix,
      issue_file: issueFile,
      stats: Reports.statsJson(stats),
      unpublished_count: unpublished,
      in_progress: inProgress.map(Render.json),
      ready: ready.map(Render.json)
    }),
    text: () => Guide.prime(state, flags.mcp)
  })
})

/**
 * Where there is no project, nothing is said: hooks run it everywhere. Where there is one that cannot be read, an agent
 * still learns how to work, and where to look.
 */
export const otherwise = Effect.fn("bd.prime")(function* ({ flags }: Input<typeof prime>, error: CommandError) {
  if (error._tag === "WorkspaceNotFound") {
    if (error.named) return yield* error
    return yield* Output.answer({ json: () => ({ project: false, text: "" }), text: () => "" })
  }
  const text = Guide.prime(error.message, flags.mcp)
  yield* Output.note(`Warning: ${error.message}`)
  yield* Output.answer({ json: () => ({ project: true, text }), text: () => text })
})

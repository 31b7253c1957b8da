/**
 * A long-lived worker that embeds the tracker: takes ready issues one by one and closes them, and tells what the flush
 * manager is doing. Ctrl-C ends it; the last changes are published before it is gone.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Schedule, Stream } from "effect"
import { FlushManager, Tracker, Workspace } from "effect-beads"

const watch = Effect.gen(function* () {
  const flush = yield* FlushManager.FlushManager
  yield* Stream.runForEach(flush.changes, ({ phase }) => Console.log(`flush: ${phase._tag}`))
})

const work = Effect.gen(function* () {
  const tracker = yield* Tracker.Tracker
  const [issue] = (yield* tracker.ready({ limit: 1 })).items
  if (issue === undefined) return
  yield* tracker.update(issue.id, { status: "in_progress" })
  yield* tracker.addComment(issue.id, "seen by the worker")
  yield* tracker.close(issue.id, { reason: "worked off" }) // in SQLite; the file follows within half a second
  yield* Console.log(`closed ${issue.id}`)
})

const program = Effect.gen(function* () {
  yield* Effect.forkScoped(watch)
  yield* Effect.repeat(work, Schedule.spaced("100 millis"))
})

program.pipe(
  Effect.scoped,
  Effect.provide(Workspace.layer({ directory: ".beads", actor: "worker", flushOptions: { debounce: "500 millis" } })),
  NodeRuntime.runMain
)

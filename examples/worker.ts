/**
 * A long-lived worker that embeds the tracker: takes ready issues one by one and closes them, and tells what the flush
 * manager is doing. Ctrl-C ends it; the last changes are published before it is gone.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Option, Schedule, Stream } from "effect"
import { FlushManager, Tracker, Workspace } from "effect-beads"

const watch = Effect.gen(function* () {
  const flush = yield* FlushManager.FlushManager
  yield* Stream.runForEach(flush.changes, ({ phase }) => Console.log(`flush: ${phase._tag}`))
})

const work = Effect.gen(function* () {
  const tracker = yield* Tracker.Tracker
  const claimed = yield* tracker.claimReady({}) // of many workers, each gets another issue
  if (Option.isNone(claimed)) return
  const { id } = claimed.value
  yield* tracker.addComment(id, "seen by the worker")
  yield* tracker.close(id, { reason: "worked off" }) // in SQLite; the file follows half a second after the last change
  yield* Console.log(`closed ${id}`)
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

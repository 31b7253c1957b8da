/**
 * An application that embeds the tracker, for the tests: two changes, acknowledged when SQLite has them, flushed by
 * the flush manager after its debounce. The argument is the `.beads` directory.
 */
import { resolve } from "node:path"
import { Effect } from "effect"
import { FlushManager } from "../../src/flush/FlushManager.ts"
import { Tracker } from "../../src/tracker/Tracker.ts"
import * as Workspace from "../../src/tracker/Workspace.ts"

const say = (text: string) => Effect.sync(() => process.stdout.write(`${text}\n`))

const program = Effect.gen(function* () {
  const tracker = yield* Tracker
  const flush = yield* FlushManager
  yield* tracker.create({ title: "new" })
  yield* tracker.create({ title: "newer" })
  yield* say("changed")
  yield* flush.awaitClean
  yield* say("flushed")
})

const workspace = Workspace.layer({
  directory: resolve(process.argv[2] ?? ""),
  actor: "embedder",
  flushOptions: { debounce: "500 millis" }
})

void Effect.runPromise(Effect.provide(program, workspace))

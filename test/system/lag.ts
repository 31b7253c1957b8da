/**
 * An application whose change has to wait for the lock, which a process of its own holds for six seconds. Says as JSON
 * how long it was `held`, how long the change `waited`, and the longest the event loop `lag`ged, in milliseconds.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { monitorEventLoopDelay, performance } from "node:perf_hooks"
import { Effect } from "effect"
import { Tracker, Workspace } from "effect-beads"

const beads = process.argv[2] ?? ""

const holder = spawn(
  process.execPath,
  [
    "-e",
    `const Database = require(process.argv[1])
     const lock = new Database(process.argv[2])
     lock.exec("begin exclusive")
     process.stdout.write("held")
     Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000)
     lock.close()`,
    import.meta.resolve("better-sqlite3").replace("file://", ""),
    join(beads, "issues.jsonl.lock")
  ],
  { stdio: ["ignore", "pipe", "inherit"] }
)

const program = Effect.gen(function* () {
  const tracker = yield* Tracker.Tracker
  yield* Effect.promise(() => once(holder.stdout, "data"))
  const since = performance.now()
  const ended = once(holder, "close").then(() => performance.now() - since)
  const delays = monitorEventLoopDelay({ resolution: 10 })
  delays.enable()
  yield* tracker.create({ title: "late" })
  const waited = performance.now() - since
  delays.disable()
  yield* tracker.flushNow()
  const held = yield* Effect.promise(() => ended)
  process.stdout.write(JSON.stringify({ held, waited, lag: delays.max / 1e6 }))
})

void Effect.runPromise(Effect.provide(program, Workspace.layer({ directory: beads })))
